"""A board's image in QEMU, whose power can be cut."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import disk_log
from harness.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
BOOT_PARTITION = "@@1M"  # where scripts/image puts it, in mtools' notation
BOOT_DEADLINE = 180.0  # seconds; about 8 on a quiet machine
HOST = "10.0.2.2"  # this computer, seen from inside (QEMU's user networking)


class Machine:
    """A machine with a copy of the image, from power-on to power-cut to the next power-on.

        machine = Machine(folder, image)
        machine.place("leat.json", text)        # on the boot partition, while it is off
        machine.start(); machine.wait_agent()
        machine.run("leat-status")              # what a command on its console prints
        machine.cut()                           # what was not synced is gone
    """

    def __init__(self, folder, image):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk = self.folder / "disk.img"
        self._copy(image, self.disk)
        self._disk_before = self.folder / "disk-before.img"  # as it was when the power came
        self._write_log = self.folder / "writes.log"
        self.unflushed_writes = self.lost_writes = 0
        self.process = None
        self.boots = 0

    # --- power ---

    def start(self):
        assert not self.running()
        self.boots += 1
        self._copy(self.disk, self._disk_before)
        self._write_log.write_bytes(b"")
        # QEMU's own messages, apart from what the machine prints.
        with open(self.folder / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(
                [ROOT / "scripts" / "boot", "qemu-virt", self.disk], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, "CONSOLE_LOG": str(self._console_log),
                                          "WRITE_LOG": str(self._write_log)})
        wait_for(lambda: not self.running() or self._connectable("console"),
                 what="QEMU to open its sockets")
        assert self.running(), (self.folder / "qemu.log").read_text()
        return self

    def cut(self, survives=lambda: False):
        """The power goes, in the middle of whatever it does. survives() is asked for each write that
        has come to the disk and was not flushed."""
        self._kill()
        unflushed, lost = disk_log.replay(self._write_log, self._disk_before, survives)
        self.unflushed_writes += unflushed
        self.lost_writes += lost
        self._disk_before.replace(self.disk)

    def wait_off(self):
        """Until it has powered itself off."""
        wait_for(lambda: not self.running(), BOOT_DEADLINE,
                 lambda: f"the machine to be off; its console ends:\n{self.console[-3000:]}")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        if self.running():
            self._kill()

    def _kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @staticmethod
    def _copy(from_path, to_path):
        subprocess.run(["cp", "--sparse=always", from_path, to_path], check=True)

    # --- from outside ---

    def place(self, name, text):
        """Writes a file to the boot partition of the machine, which is off."""
        assert not self.running()
        subprocess.run(["mcopy", "-o", "-i", f"{self.disk}{BOOT_PARTITION}", "-", f"::{name}"],
                       input=text.encode(), check=True)

    def wipe_data(self):
        """Leaves nothing of the data partition, which is the last."""
        assert not self.running()
        table = json.loads(subprocess.run(["sfdisk", "--json", self.disk], capture_output=True,
                                          check=True).stdout)["partitiontable"]
        data = table["partitions"][2]
        with open(self.disk, "r+b") as disk:
            disk.truncate(data["start"] * table["sectorsize"])
            disk.truncate((data["start"] + data["size"]) * table["sectorsize"])

    def connect(self, name):
        """The socket of the "serial" line or the "console"."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"{self.disk}.{name}")
        return connection

    def _connectable(self, name):
        try:
            self.connect(name).close()
        except OSError:
            return False
        return True

    # --- the console ---

    @property
    def _console_log(self):
        return self.folder / f"console-{self.boots}.log"

    @property
    def console(self):
        """All that this boot has printed."""
        path = self._console_log
        return path.read_bytes().decode(errors="replace") if path.exists() else ""

    def wait_console(self, pattern, deadline=BOOT_DEADLINE):
        """Waits until the console shows the regular expression; its match."""
        found = wait_for(lambda: not self.running() or re.search(pattern, self.console), deadline,
                         lambda: f"{pattern!r} on the console, which ends:\n{self.console[-3000:]}",
                         interval=0.05)
        assert found is not True, f"the machine is off; its console ends:\n{self.console[-3000:]}"
        return found

    def wait_agent(self):
        """Until the agent works with a configuration."""
        self.wait_console(r" info [^ ]+: ")

    def run(self, command):
        """What a command prints that a shell on the console runs, without its exit code."""
        with self.connect("console") as connection:
            connection.settimeout(BOOT_DEADLINE)
            # Marks of which the command line itself holds no whole one.
            connection.sendall(f"\necho '<''<'; {command}; echo '>''>'\n".encode())
            output = b""
            while not (match := re.search(rb"<<\r?\n(.*?)>>\r?\n", output, re.DOTALL)):
                piece = connection.recv(4096)
                assert piece, f"the console was closed; it printed {output[-1000:]}"
                output += piece
        return match[1].decode(errors="replace").replace("\r\n", "\n")


class NumberedLines:
    """A device on the serial line of the machine that sends {"seq": n} lines, one after the other."""

    def __init__(self, machine, rate):
        self.machine, self.rate = machine, rate
        self.sent = 0
        self._stopping = threading.Event()
        self._thread = None

    def start(self):
        """Goes on with the next number. The machine has to be on."""
        self._stopping.clear()
        connection = self.machine.connect("serial")
        self._thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
        self._thread.start()

    def _run(self, connection):
        with connection:
            begun, first = time.monotonic(), self.sent
            while not self._stopping.wait(0.01):
                due = first + int((time.monotonic() - begun) * self.rate)
                try:
                    while self.sent < due:
                        connection.sendall(b'{"seq":%d}\n' % (self.sent + 1))
                        self.sent += 1
                except OSError:
                    return  # the power is off

    def stop(self):
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(30)


def image(board="qemu-virt"):
    path = ROOT / "build" / "image" / f"{board}.img"
    assert path.exists(), f"make {path} with scripts/image {board}"
    return path


