// Takes the system's monotonic clock over, so that the timers of a libuv loop go off when the test
// says so.
//
// Thread: the clock is everybody's, and starts from wherever it was. Timers go off in the next
// uv_run() after advance().
#pragma once

#include <chrono>

namespace leat::testing {

class FakeTime {
 public:
  FakeTime();   // it stands still
  ~FakeTime();  // the real one again
  FakeTime(const FakeTime&) = delete;
  FakeTime& operator=(const FakeTime&) = delete;
  void advance(std::chrono::milliseconds by);
};

}  // namespace leat::testing
