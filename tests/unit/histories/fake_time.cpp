#include "histories/fake_time.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

std::atomic<bool> g_faked{false};
std::atomic<int64_t> g_now_ms{1'000'000};

}  // namespace

// In place of the C library's: a program's own comes first.
extern "C" int clock_gettime(clockid_t clock, struct timespec* out) noexcept {
  if (!g_faked || clock == CLOCK_REALTIME)
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  int64_t now = g_now_ms;
  out->tv_sec = static_cast<time_t>(now / 1000);
  out->tv_nsec = static_cast<long>(now % 1000 * 1'000'000);
  return 0;
}

namespace leat::testing {

FakeTime::FakeTime() {
  g_faked = true;
}

FakeTime::~FakeTime() {
  g_faked = false;
}

void FakeTime::advance(std::chrono::milliseconds by) {
  g_now_ms += by.count();
}

}  // namespace leat::testing
