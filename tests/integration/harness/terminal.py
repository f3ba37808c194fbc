"""A command on a pseudo-terminal of its own."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios


class Terminal:
    """with Terminal(["leat", "top"], rows=24, columns=80) as terminal: …; killed at the end.

    `seen` is all that it has shown when it was last looked at; no look waits for more.
    """

    def __init__(self, command, rows=24, columns=120, **how):
        self._main, terminal = pty.openpty()
        self.resize(rows, columns)
        self.seen = ""
        self.process = subprocess.Popen(command, **{"stdin": terminal, "stdout": terminal, "stderr": terminal,
                                                    "start_new_session": True, **how})
        os.close(terminal)

    def resize(self, rows, columns):
        """A process whose controlling terminal this is not has to be told by SIGWINCH, too."""
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def look(self):
        while select.select([self._main], [], [], 0)[0]:
            try:
                self.seen += os.read(self._main, 65536).decode(errors="replace")
            except OSError:  # EIO: nobody writes there any more
                break
        return self.seen

    def screen(self):
        """What is shown now, by a command that begins each time in the upper left corner."""
        return self.look().split("\x1b[H\x1b[J")[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._main)
