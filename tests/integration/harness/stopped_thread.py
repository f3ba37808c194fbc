"""Stops one thread of a process, as a bug or a dead network file system would."""

import ctypes
import os
from contextlib import contextmanager
from pathlib import Path

# ptrace(2), waitpid(2)
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def threads(pid, name):
    """Ids of the threads of this name."""
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()
            if (task / "comm").read_text().strip() == name]


@contextmanager
def stopped_thread(thread):
    """Within it the thread stands still; the others go on. PermissionError when the system does
    not let one process trace another."""
    _ptrace(PTRACE_SEIZE, thread)
    _ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)  # until it stands
    try:
        yield
    finally:
        _ptrace(PTRACE_DETACH, thread)
