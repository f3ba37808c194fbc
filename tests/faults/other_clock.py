"""A wall clock that stands elsewhere and jumps on request, by a library put before libc."""

import os
import subprocess
from pathlib import Path

SOURCE = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
static int look(char text[32]) {
  int fd = open(getenv("CLOCK_OFFSET"), O_RDONLY);
  if (fd < 0) return 0;
  long read_bytes = read(fd, text, 31);
  close(fd);
  return read_bytes > 0;
}
static long offset(void) {
  char text[32] = {0};
  return look(text) ? atol(text) : 0;
}
int adjtimex(struct timex* out) {
  char text[32] = {0};
  int right = look(text) && strstr(text, "right") != NULL;
  out->status = right ? STA_PLL : STA_UNSYNC;
  return right ? TIME_OK : TIME_ERROR;
}
int clock_gettime(clockid_t clock, struct timespec* now) {
  long result = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += offset();
  return (int)result;
}
time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval* out, void* zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""


def can_be_moved(binary):
    """Not of a static program, nor of an emulated one."""
    headers = subprocess.run(["readelf", "--program-headers", binary], capture_output=True, text=True, check=False).stdout
    return "INTERP" in headers


class OtherClock:
    """For a dynamically linked program started with `env`; intervals go by as ever.

        clock = OtherClock(tmp_path)
        clock.shift(-50 * OtherClock.YEAR)
        agent.start(env=clock.env)
        clock.shift(0)
    """

    YEAR = 31_557_600  # seconds

    def __init__(self, folder):
        self.path = Path(folder) / "clock-offset"
        source = Path(folder) / "other_clock.c"
        library = Path(folder) / "other_clock.so"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        # AddressSanitizer wants to come first, but works behind this, too.
        sanitizer = os.environ.get("ASAN_OPTIONS", "")
        self.env = {**os.environ, "LD_PRELOAD": str(library), "CLOCK_OFFSET": str(self.path),
                    "ASAN_OPTIONS": ":".join(filter(None, [sanitizer, "verify_asan_link_order=0"]))}
        self.shift(0)

    def shift(self, seconds, right=False):
        """From now on the clock is so far ahead of the real one (behind, when negative).

        `right`: something (NTP) tells the kernel that it is right.
        """
        new = self.path.with_suffix(".new")
        new.write_text(f"{int(seconds)}{' right' if right else ''}")
        os.replace(new, self.path)
