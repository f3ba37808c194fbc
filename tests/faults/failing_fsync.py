"""fsync and fdatasync that fail or dawdle on request, by a library put before libc."""

import os
import subprocess
from pathlib import Path

SOURCE = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static long number_in(const char* name) {
  const char* value = getenv(name);
  return value != NULL ? atol(value) : 0;
}
static int meant(int fd) {
  const char* part = getenv("SYNC_OF");
  if (part == NULL) return 1;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, part) != NULL;
}
static int fails(int fd) {
  static long calls = 0;
  const char* flag = getenv("FAIL_SYNC_WHILE");
  if (!meant(fd)) return 0;
  long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (call >= number_in("FAIL_SYNC_FROM") && call < number_in("FAIL_SYNC_UNTIL")) return 1;
  return flag != NULL && access(flag, F_OK) == 0;
}
static int sync_or_fail(long number, int fd) {
  long dawdle = number_in("SYNC_TAKES_US");
  if (dawdle > 0) usleep((useconds_t)dawdle);
  if (!fails(fd)) return (int)syscall(number, fd);
  const char* failed = getenv("FAILED_SYNCS");
  int out = failed != NULL ? open(failed, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (out >= 0) {
    ssize_t ignored = write(out, "x", 1);
    (void)ignored;
    close(out);
  }
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
        agent.start(env=disk.calls(4, 10, of="/out.db"))   # the 4th to the 9th of files so named
        agent.start(env=disk.slow(0.01))
    """

    def __init__(self, folder):
        self.flag = Path(folder) / "fail-sync"
        self.failed_path = Path(folder) / "failed-syncs"
        source = Path(folder) / "fail_sync.c"
        library = Path(folder) / "fail_sync.so"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        # AddressSanitizer wants to come first, but works behind this, too.
        sanitizer = os.environ.get("ASAN_OPTIONS", "")
        self.env = {**os.environ, "LD_PRELOAD": str(library), "FAIL_SYNC_WHILE": str(self.flag),
                    "FAILED_SYNCS": str(self.failed_path),
                    "ASAN_OPTIONS": ":".join(filter(None, [sanitizer, "verify_asan_link_order=0"]))}

    def fail(self):
        self.flag.touch()

    def calls(self, first, end, of):
        """An environment in which the calls from `first` on, before `end`, of a process fail; those
        of files with `of` in their path are counted, from 1."""
        return {**self.env, "SYNC_OF": of, "FAIL_SYNC_FROM": str(first), "FAIL_SYNC_UNTIL": str(end)}

    def slow(self, seconds):
        """An environment in which each call takes that long."""
        return {**self.env, "SYNC_TAKES_US": str(int(seconds * 1e6))}

    @property
    def failed(self):
        """How many calls have failed."""
        return self.failed_path.stat().st_size if self.failed_path.exists() else 0
