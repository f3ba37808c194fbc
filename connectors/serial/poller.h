// When to send the request of `poll`: every so often, but not before the last one was answered or
// has timed out. What falls due in the meantime is not made up for.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/units.h"
#include "loop/handles.h"

namespace leat::serial {

struct PollRules {
  std::string request;  // bytes; "" means that the device is only listened to
  Milliseconds every{1000};
  Milliseconds timeout{1000};
};

class Poller {
 public:
  // Both are called from the loop. `send` returns false when it cannot be done now; resume() then
  // leads to the next attempt.
  Poller(Loop& loop, const PollRules& rules, std::function<bool()> send,
         std::function<void()> timed_out);

  // The port was opened: the first request is due at once.
  void start();
  // The port is gone.
  void stop();
  // A frame came. Frames that nobody asked for change nothing.
  void answered();
  // Nothing is read for now, so nothing is asked and no time runs, until resume().
  void pause();
  void resume();

 private:
  void send();
  void await();
  void schedule();

  const Clock& clock_;
  const PollRules& rules_;
  const std::function<bool()> send_;
  const std::function<void()> timed_out_;
  Timer timer_;
  int64_t due_us_ = 0;     // monotonic
  bool running_ = false;   // between start() and stop()
  bool awaiting_ = false;  // a request is under way
};

}  // namespace leat::serial
