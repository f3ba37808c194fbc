// Tells when somebody has put the wall clock forward or back, and when the machine has slept: the
// kernel says so, and nothing wakes up meanwhile (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). The
// clock's slewing by NTP is none of it.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "loop/handles.h"

namespace leat {

class ClockWatch {
 public:
  static Result<std::unique_ptr<ClockWatch>> make(Loop& loop, std::function<void()> stepped);
  ~ClockWatch();
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;

 private:
  ClockWatch(int fd, std::function<void()> stepped) : fd_(fd), stepped_(std::move(stepped)) {}
  Status begin() const;
  void look();

  const int fd_;
  const std::function<void()> stepped_;
  std::unique_ptr<Poll> poll_;
};

}  // namespace leat
