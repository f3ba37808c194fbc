"""A leat process under test."""

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

from .waiting import DEADLINE, wait_for

ANSWERED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)

# For a root user: file permissions apply to the process as they do to everybody else.
DROP_READ_ALL = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)


class Agent:
    """Runs the leat binary in a folder of its own.

        agent = Agent(binary, tmp_path)
        agent.configure(pipeline)            # or agent.write_config({...}) for the whole file
        agent.start()                        # leat run -c <folder>/leat.json
        agent.wait_log("circuit open")       # deadlines, never sleeps
        agent.terminate()
        assert agent.wait() == 0

    A finished agent may be started again: the journal in `data_dir` stays, the log is appended to
    `log` (and `log_of_run` holds what the current process wrote).
    """

    def __init__(self, binary, folder):
        self.binary = str(binary)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = self.folder / "data"
        self.config_path = self.folder / "leat.json"
        self.log_path = self.folder / "stderr.log"
        self.stdout_path = self.folder / "stdout"
        self.stdin = subprocess.DEVNULL  # of the process: a descriptor
        self.process = None
        self._log_start = 0
        self._peak_kib = 0
        self._sampler = None

    # --- configuration -------------------------------------------------------------------------

    def write_config(self, config):
        """Writes the whole configuration: a dict, or text as it is."""
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        self.config_path.write_text(text)
        return self.config_path

    def configure(self, *pipelines, **agent_options):
        """Writes a configuration of these pipelines; the agent's options may be given by name."""
        named = [{"name": f"p{i}" if i else "p", **p} for i, p in enumerate(pipelines)]
        options = {"id": "test", "dataDir": str(self.data_dir), **agent_options}
        return self.write_config({"agent": options, "pipelines": named})

    # --- the process ---------------------------------------------------------------------------

    def command(self, *arguments, stdin=None, deadline=DEADLINE, env=None, wrap=()):
        """Runs `leat ARGUMENTS` to its end; a CompletedProcess with text stdout and stderr.

        `wrap` as in start().
        """
        return subprocess.run([*wrap, self.binary, *map(str, arguments)], cwd=self.folder,
                              input=stdin, capture_output=True, text=True, errors="replace",
                              timeout=deadline, env=env, check=False)

    def start(self, *arguments, env=None, wrap=()):
        """Starts `leat run -c leat.json ARGUMENTS` in the background.

        `wrap` is a command that ends in exec of what follows it, such as DROP_READ_ALL.
        """
        assert self.process is None or self.process.poll() is not None, "it still runs"
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log, open(self.stdout_path, "ab") as out:
            self.process = subprocess.Popen(
                [*wrap, self.binary, "run", "-c", str(self.config_path), *map(str, arguments)],
                cwd=self.folder, stdin=self.stdin, stdout=out, stderr=log, env=env)
        self._peak_kib = 0
        self._sampler = threading.Thread(target=self._sample, args=(self.process,), daemon=True)
        self._sampler.start()
        return self

    def run(self, *arguments, deadline=120.0, **how):
        """Starts it and waits for its end; returns the exit code."""
        return self.start(*arguments, **how).wait(deadline)

    def wait(self, deadline=60.0):
        """Waits for the end; returns the exit code (negative: the signal that ended it)."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"leat still ran after {deadline:g} s; its log ends:\n"
                                 f"{self.log[-3000:]}") from None

    def running(self):
        return self.process is not None and self.process.poll() is None

    def send(self, signal_number):
        """What the agent answers, once it does: before main() it would end as any process."""
        if signal_number in ANSWERED:
            wait_for(lambda: not self.running() or self._answers(signal_number), what=f"signal {signal_number} to be answered")
        self.process.send_signal(signal_number)

    def terminate(self):
        """SIGTERM: drain."""
        self.send(signal.SIGTERM)

    def kill(self):
        """SIGKILL, and waits until it is gone."""
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait(10)

    # --- what it says and uses -----------------------------------------------------------------

    @property
    def log(self):
        """All that was written to stderr, over all runs."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def log_of_run(self):
        """What the last started process wrote to stderr."""
        if not self.log_path.exists():
            return ""
        with open(self.log_path, "rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    @property
    def stdout(self):
        return self.stdout_path.read_bytes() if self.stdout_path.exists() else b""

    def log_lines(self, pattern=""):
        """Lines of the log that match the regular expression; not that tests run as root."""
        return [line for line in self.log.splitlines()
                if re.search(pattern, line) and "config: runs as root" not in line]

    def wait_log(self, pattern, deadline=DEADLINE):
        """Waits until a line of the current run's log matches; returns the match."""
        return wait_for(lambda: re.search(pattern, self.log_of_run), deadline,
                        lambda: f"{pattern!r} in the log, which ends:\n{self.log_of_run[-3000:]}")

    def wait_for(self, condition, deadline=DEADLINE, what="the condition"):
        """Waits on a condition while the agent runs; shows its log on failure."""
        return wait_for(condition, deadline, lambda: f"{what() if callable(what) else what}; "
                        f"leat's log ends:\n{self.log[-3000:]}")

    def status(self):
        """What `leat status --json` says, as soon as it answers."""
        def said():
            done = self.command("status", "--json", "--data-dir", self.data_dir)
            return json.loads(done.stdout) if done.returncode == 0 else None
        return self.wait_for(said, what="the status")

    @property
    def peak_rss_kib(self):
        """High-water mark of resident memory (VmHWM) of the last started process, in KiB.

        Read from /proc and not from rusage: ru_maxrss of a child begins with its parent's size.
        """
        self._read_peak(self.process.pid)
        return self._peak_kib

    def dead_letters(self, pipeline="p"):
        """Parsed dead letters of a pipeline."""
        path = self.data_dir / "dead-letters" / f"{pipeline}.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    def _answers(self, signal_number):
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            return True
        masks = (int(mask, 16) for mask in re.findall(r"^Sig(?:Blk|Cgt):\s*(\S+)", status, re.MULTILINE))
        return any(mask >> (signal_number - 1) & 1 for mask in masks)

    def _read_peak(self, pid):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return
        match = re.search(r"VmHWM:\s+(\d+)", status)
        if match:
            self._peak_kib = max(self._peak_kib, int(match[1]))

    def _sample(self, process):
        # VmHWM is gone with the process, so it is read all along.
        while process.poll() is None:
            self._read_peak(process.pid)
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
