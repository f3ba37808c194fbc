"""fsync and fdatasync that fail on request, by a library put before libc."""

import os
import subprocess
from pathlib import Path

SOURCE = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int fails(void) {
  const char* flag = getenv("FAIL_SYNC_WHILE");
  return flag != NULL && access(flag, F_OK) == 0;
}
static int sync_or_fail(long number, int fd) {
  if (!fails()) return (int)syscall(number, fd);
  errno = EIO;
  return -1;
}
int fsync(int fd) { return sync_or_fail(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_or_fail(SYS_fdatasync, fd); }
"""


class FailingFsync:
    """For a dynamically linked program started with `env`.

        disk = FailingFsync(tmp_path)
        agent.start(env=disk.env)
        disk.fail()
    """

    def __init__(self, folder):
        self.flag = Path(folder) / "fail-sync"
        source = Path(folder) / "fail_sync.c"
        library = Path(folder) / "fail_sync.so"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        # AddressSanitizer wants to come first, but works behind this, too.
        sanitizer = os.environ.get("ASAN_OPTIONS", "")
        self.env = {**os.environ, "LD_PRELOAD": str(library), "FAIL_SYNC_WHILE": str(self.flag),
                    "ASAN_OPTIONS": ":".join(filter(None, [sanitizer, "verify_asan_link_order=0"]))}

    def fail(self):
        self.flag.touch()
