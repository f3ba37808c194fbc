#!/usr/bin/env python3
"""Follows many files and prints how long finding them takes, as one JSON line.

    tests/bench/many_files.py BINARY [--files 10000] [--descriptors N] [--folder DIR]

N files of one line each lie in one folder and are followed by a glob. Printed are, in seconds:
`first` from the start until a line of every file has arrived, `again` from a start that finds nothing
new until a line appended then to one of them has arrived, `new_file` and `append` the median time
from a file's appearing, or growing, to its line, `worst_neighbour` the longest that a line of another
pipeline, which follows one file that grows every 10 ms, took during `first` and `again`; the CPU
seconds of both, the highest memory in MiB, and the most descriptors that were open.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path


class Run:
    """A leat process, and when each line came."""

    def __init__(self, binary, config, descriptors):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.arrived = {}
        self.lines = 0
        self.descriptors = 0
        self.peak = 0
        self.began = time.monotonic()
        self.process = subprocess.Popen([binary, "run", "-c", config], preexec_fn=limit,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._sample, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.arrived[line.strip().decode()] = time.monotonic()
            self.lines += 1

    def _sample(self):
        proc = Path(f"/proc/{self.process.pid}")
        while self.process.poll() is None:
            try:
                self.descriptors = max(self.descriptors, len(os.listdir(proc / "fd")))
                status = (proc / "status").read_text()
                self.peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
            except (OSError, IndexError):
                pass
            time.sleep(0.05)

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, line, deadline):
        end = time.monotonic() + deadline
        while line not in self.arrived:
            if time.monotonic() > end:
                return None
            time.sleep(0.0005)
        return self.arrived[line]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Neighbour:
    """Appends a line every 10 ms, and remembers when."""

    def __init__(self, path):
        self.path = path
        self.wrote = {}
        self.going = True
        self.thread = threading.Thread(target=self._write)
        self.thread.start()

    def _write(self):
        number = 0
        with open(self.path, "a", buffering=1, encoding="ascii") as file:
            while self.going:
                line = f'{{"neighbour":{number},"at":{time.monotonic()}}}'
                self.wrote[line] = time.monotonic()
                file.write(line + "\n")
                number += 1
                time.sleep(0.01)

    def worst(self, *runs):
        self.going = False
        self.thread.join()
        late = []
        for line, wrote in self.wrote.items():
            came = [run.arrived[line] for run in runs if line in run.arrived]
            began = [run.began for run in runs if run.began > wrote]
            if came:
                late.append(min(came) - max(wrote, *[run.began for run in runs
                                                      if run.began < min(came)]))
            elif not began:
                late.append(time.monotonic() - wrote)
        return max(late, default=0)


def append(path, text):
    with open(path, "a", encoding="ascii") as file:
        file.write(text + "\n")


def measure(binary, files, descriptors, folder, deadline):
    many = folder / "many"
    many.mkdir()
    for number in range(files):
        (many / f"{number:06}.log").write_text(f'{{"n":{number}}}\n')
    sink = {"type": "stdout", "format": "ndjson", "batch": {"linger": "1ms"}}
    config = folder / "leat.json"
    config.write_text(json.dumps({
        "agent": {"dataDir": str(folder / "data")},
        "pipelines": [
            {"name": "many", "sink": sink, "source": {
                "type": "file", "format": "json", "follow": True, "path": [str(many / "*.log")]}},
            {"name": "one", "sink": sink, "source": {
                "type": "file", "format": "json", "follow": True,
                "path": [str(folder / "neighbour.log")]}}]}))
    out = {"files": files}
    neighbour = Neighbour(folder / "neighbour.log")
    first = Run(binary, config, descriptors)
    end = time.monotonic() + deadline
    while (sum(1 for line in list(first.arrived) if line.startswith('{"n"')) < files
           and time.monotonic() < end):
        time.sleep(0.05)
    out["arrived"] = sum(1 for line in list(first.arrived) if line.startswith('{"n"'))
    out["first"] = round(time.monotonic() - first.began, 2)
    out["first_cpu"] = first.cpu()
    time.sleep(1.5)
    first.stop()
    again = Run(binary, config, descriptors)
    time.sleep(0.2)
    append(many / f"{files // 2:06}.log", '{"again":1}')
    came = again.wait('{"again":1}', deadline)
    out["again"] = came and round(came - again.began, 2)
    time.sleep(1)
    out["again_cpu"] = again.cpu()
    out["worst_neighbour"] = round(neighbour.worst(first, again), 3)
    for what, name in (("new_file", "new-{}"), ("append", "{:06}")):
        times = []
        for number in range(21):
            line = f'{{"{what}":{number}}}'
            began = time.monotonic()
            append(many / (name.format(number) + ".log"), line)
            came = again.wait(line, deadline / 10)
            times.append(came - began if came else deadline / 10)
        out[what] = round(statistics.median(times), 4)
    out["peak_mib"] = round(max(first.peak, again.peak), 1)
    out["descriptors"] = max(first.descriptors, again.descriptors)
    again.stop()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--files", type=int, default=10000)
    parser.add_argument("--descriptors", type=int, help="limit of open files")
    parser.add_argument("--folder", help="where to make the files (default: a temporary folder)")
    parser.add_argument("--deadline", type=float, default=60, help="seconds for each wait")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="leat-files-", dir=options.folder))
    try:
        print(json.dumps(measure(options.binary, options.files, options.descriptors, folder,
                                 options.deadline)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
