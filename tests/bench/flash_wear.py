#!/usr/bin/env python3
"""What a healthy agent writes to its data folder, as one JSON line for each case.

    tests/bench/flash_wear.py BINARY [--seconds 120] [--warm 40] [--folder DIR] [--only CASE]

All cases run at once, each with an agent and, as root, with a data folder on an ext4 of its own on a
loop device. Records go to an HTTP server that takes them. Printed are bytes a day, by what was
written in `seconds` after `warm`: `journal` by the agent's own count (journal and WAL), `process` by
the kernel's of the process (write_bytes: whole pages, when they become dirty), and `device` by that
of the block device: data, ext4's own journal and inodes, when the kernel writes them back.
"""

import argparse
import http.server
import json
import os
import pty
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tty
from pathlib import Path

LINE = json.dumps({"seq": 0, "device": "press-1", "temp": 41.25, "state": "running",
                   "text": "x" * 50})
DAY = 86400
CASES = {f"file, {rate} lines/s": ("file", rate) for rate in (1, 10, 100, 1000)} | {
    "mqtt QoS 0, 100/s": ("mqtt0", 100), "mqtt QoS 1, 100/s": ("mqtt1", 100),
    "serial, 100 lines/s": ("serial", 100)}


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Device:
    """A folder, on an ext4 of its own where that can be made."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.loop = None
        if os.geteuid() != 0:
            return
        image = folder.with_suffix(".img")
        image.touch()
        os.truncate(image, 64 << 20)
        if subprocess.run(["mkfs.ext4", "-q", image], check=False).returncode == 0 and \
                subprocess.run(["mount", "-o", "loop", image, folder], check=False).returncode == 0:
            mounts = Path("/proc/mounts").read_text().splitlines()
            self.loop = next(m.split()[0].split("/")[-1] for m in mounts if f" {folder} " in m)

    def written(self):
        if self.loop is None:
            return None
        return int(Path(f"/sys/block/{self.loop}/stat").read_text().split()[6]) * 512

    def remove(self):
        if self.loop is not None:
            subprocess.run(["umount", self.folder], check=True)


class Case:
    def __init__(self, binary, name, folder, port, broker):
        self.name = name
        self.kind, self.rate = CASES[name]
        self.device = Device(folder / "data")
        self.input = folder / "input.jsonl"
        self.input.touch()
        self.stopping = threading.Event()
        self.publisher = None
        if self.kind == "serial":
            self.master, slave = pty.openpty()
            tty.setraw(slave)
            source = {"type": "serial", "port": os.ttyname(slave), "format": "json"}
        elif self.kind == "file":
            source = {"type": "file", "path": [str(self.input)], "format": "json", "follow": True}
        else:
            source = {"type": "mqtt", "url": f"mqtt://127.0.0.1:{broker}", "topics": [self.kind],
                      "qos": int(self.kind[-1]), "clientId": self.kind, "format": "json"}
        config = folder / "leat.json"
        config.write_text(json.dumps({
            "agent": {"id": "bench", "dataDir": str(self.device.folder)},
            "pipelines": [{"name": "p", "source": source,
                           "sink": {"type": "http", "url": f"http://127.0.0.1:{port}/",
                                    "format": "ndjson"}}]}))
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([binary, "run", "-c", config], stderr=self.log,
                                        stdout=subprocess.DEVNULL)
        if self.kind.startswith("mqtt"):
            self.publisher = subprocess.Popen(
                ["mosquitto_pub", "-p", str(broker), "-t", self.kind, "-q", self.kind[-1], "-l"],
                stdin=subprocess.PIPE)
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self):
        line = (LINE + "\n").encode()
        began, sent = time.monotonic(), 0
        with open(self.input, "ab", buffering=0) as out:
            fd = {"file": out.fileno()}.get(self.kind)
            if fd is None:
                fd = self.master if self.kind == "serial" else self.publisher.stdin.fileno()
            while not self.stopping.is_set():
                due = int((time.monotonic() - began) * self.rate) - sent
                for _ in range(due):
                    os.write(fd, line)
                sent += max(due, 0)
                time.sleep(min(1 / self.rate, 0.5) if self.rate < 200 else 0.005)

    def counts(self):
        with socket.socket(socket.AF_UNIX) as api:
            api.connect(str(self.device.folder / "leat.sock"))
            api.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := api.recv(65536):
                answer += chunk
        text = answer.decode()
        metric = {line.split("{")[0].split(" ")[0]: line.rsplit(" ", 1)[-1]
                  for line in text.splitlines() if line.startswith("leat_")}
        io = Path(f"/proc/{self.process.pid}/io").read_text()
        return {"at": time.monotonic(),
                "journal": int(float(metric["leat_journal_written_bytes_total"])),
                "process": int(io.split("\nwrite_bytes: ")[1].split()[0]),
                "device": self.device.written()}

    def end(self):
        self.stopping.set()
        if self.publisher:
            self.publisher.stdin.close()
            self.publisher.wait()
        self.process.terminate()
        self.process.wait()
        self.device.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--warm", type=float, default=40)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--only", choices=CASES, action="append")
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        broker_port = free.getsockname()[1]
    broker = subprocess.Popen(["mosquitto", "-p", str(broker_port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    time.sleep(1)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        cases = [Case(arguments.binary, name, Path(folder) / str(i), server.server_port, broker_port)
                 for i, name in enumerate(arguments.only or CASES)]
        try:
            time.sleep(arguments.warm)
            before = [case.counts() for case in cases]
            time.sleep(arguments.seconds)
            for case, was in zip(cases, before):
                now = case.counts()
                elapsed = now.pop("at") - was["at"]
                day = {key: None if now[key] is None
                       else round((now[key] - was[key]) * DAY / elapsed) for key in now}
                print(json.dumps({"case": case.name, **day}), flush=True)
        finally:
            for case in cases:
                case.end()
            broker.terminate()
            broker.wait()


if __name__ == "__main__":
    sys.exit(main())
