#include "loop/clock_watch.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

namespace leat {
namespace {

// Years from now; as far as time goes where it has 32 bits.
constexpr int64_t kNever =
    sizeof(time_t) > 4 ? int64_t{1} << 40 : std::numeric_limits<int32_t>::max();

}  // namespace

Result<std::unique_ptr<ClockWatch>> ClockWatch::make(Loop& loop, std::function<void()> stepped) {
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return fail_errno("timerfd_create", errno);
  std::unique_ptr<ClockWatch> out(new ClockWatch(fd, std::move(stepped)));
  if (Status begun = out->begin(); !begun) return fail(begun.error());
  auto poll = Poll::make(loop, fd, [watch = out.get()] { watch->look(); });
  if (!poll) return fail(poll.error());
  out->poll_ = std::move(*poll);
  out->poll_->start(UV_READABLE);
  return out;
}

ClockWatch::~ClockWatch() {
  poll_.reset();
  ::close(fd_);
}

// A timer that never fires, but is cancelled when the clock is set.
Status ClockWatch::begin() const {
  itimerspec never{};
  never.it_value.tv_sec = static_cast<time_t>(kNever);
  if (::timerfd_settime(fd_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) != 0)
    return fail_errno("timerfd_settime", errno);
  return {};
}

void ClockWatch::look() {
  uint64_t fired = 0;
  const bool stepped = ::read(fd_, &fired, sizeof fired) < 0 && errno == ECANCELED;
  if (!stepped || !begin()) return poll_->stop();
  stepped_();
}

}  // namespace leat
