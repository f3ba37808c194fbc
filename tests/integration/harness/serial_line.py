"""A serial line of pseudo-terminals with a device at its far end."""

import fcntl
import os
import select
import struct
import subprocess
import threading
import time
import tty
from pathlib import Path

from .waiting import DEADLINE, wait_for

# struct termios2 of <asm/termbits.h>: four flags, the line discipline, 19 control characters, and
# the two speeds as plain numbers.
_TERMIOS2 = struct.Struct("4IB19sII")
_TCGETS2 = 0x802C542A


def _write_some(master, data):
    try:
        return os.write(master, data)
    except BlockingIOError:
        return 0


def _write_all(master, data, deadline):
    left = memoryview(data)
    end = time.monotonic() + deadline
    while left:
        _, ready, _ = select.select([], [master], [], max(end - time.monotonic(), 0))
        assert ready, f"the line took none of the last {len(left)} bytes for {deadline:g} s"
        left = left[_write_some(master, left):]


class SerialLine:
    """The port is a link, as udev makes them, so that it can vanish and come back.

        line.write(b"one\\r\\n")
        line.unplug()
        line.plug_in()
        line.answer(lambda request: b"42\\r\\n", end=b"\\r\\n")   # a device that speaks when asked
    """

    def __init__(self, path):
        self.path = Path(path)
        self.requests = []
        self._master = self._slave = None
        self._answering = None
        self.plug_in()

    def plug_in(self):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # what comes before the port is opened must not be echoed
        os.set_blocking(self._master, False)
        self.path.symlink_to(os.ttyname(self._slave))

    def unplug(self):
        if self._master is None:
            return
        self.path.unlink(missing_ok=True)
        master, self._master = self._master, None
        if self._answering is not None:
            self._answering.join(DEADLINE)
            self._answering = None
        os.close(self._slave)
        os.close(master)

    @property
    def device(self):
        """The path that the link leads to."""
        return os.ttyname(self._slave)

    def write(self, data, deadline=DEADLINE):
        """All of it; waits as long as the line is full."""
        _write_all(self._master, data, deadline)

    def write_some(self, data):
        """What the line takes now; how many bytes."""
        return _write_some(self._master, data)

    def answer(self, how, end):
        """From now on answers each request, which ends with `end`, with how(request)."""
        self._answering = threading.Thread(target=self._answer, args=(self._master, how, end),
                                           daemon=True)
        self._answering.start()

    def _answer(self, master, how, end):
        pending = b""
        while self._master == master:
            if not select.select([master], [], [], 0.02)[0]:
                continue
            try:
                pending += os.read(master, 4096)
            except (BlockingIOError, OSError):
                continue
            while end in pending:
                request, pending = pending.split(end, 1)
                self.requests.append(request + end)
                _write_all(master, how(request + end), DEADLINE)

    @property
    def baud_rate(self):
        """What the port is set to."""
        data = fcntl.ioctl(self._slave, _TCGETS2, bytes(_TERMIOS2.size))
        return _TERMIOS2.unpack(data)[-1]


class SocatPair:
    """Two ports joined by socat: what is written to `far` is read from `near`."""

    def __init__(self, folder):
        self.near, self.far = Path(folder) / "near", Path(folder) / "far"
        self._socat = None
        self.up()

    def up(self):
        self._socat = subprocess.Popen(
            ["socat", f"pty,raw,echo=0,link={self.near}", f"pty,raw,echo=0,link={self.far}"])
        wait_for(lambda: self.near.exists() and self.far.exists(), what="socat's ports")

    def down(self):
        self._socat.terminate()
        self._socat.wait(DEADLINE)

    def write(self, data):
        with open(self.far, "wb", buffering=0) as port:
            port.write(data)


def crc16_modbus(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return data + struct.pack("<H", crc)


def xor_sum(data):
    total = 0
    for byte in data:
        total ^= byte
    return total


def nmea(data):
    return b"%s*%02X" % (data, xor_sum(data))
