// libuv handles as values that close themselves. The memory of a handle must live until its close
// callback has run, so each wrapper owns its handle on the heap and the close callback, and only
// it, frees it. Destroying a wrapper therefore is always safe, also inside its own callback.
//
// Thread: the loop's thread, except Async::send().
#pragma once

#include <uv.h>

#include <chrono>
#include <functional>
#include <memory>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace leat {

// Wakes the loop from another thread; several sends may become one call.
class Async {
 public:
  Async(Loop& loop, std::function<void()> callback);
  ~Async();
  Async(const Async&) = delete;
  Async& operator=(const Async&) = delete;

  void send();  // any thread
  // Does not keep the loop alive (and again does).
  void unref();
  void ref();

 private:
  struct State;
  State* state_;
};

// Calls back once per loop iteration while active, without letting the loop sleep: for work that is
// ready now but must yield to I/O in between.
class Idle {
 public:
  Idle(Loop& loop, std::function<void()> callback);
  ~Idle();
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;

  void start();
  void stop();
  bool active() const;

 private:
  struct State;
  State* state_;
};

// Tells when a file descriptor can be read or written. The descriptor stays its owner's, becomes
// non-blocking, and may be closed once the Poll is gone.
class Poll {
 public:
  // Fails for what cannot be waited for: regular files.
  static Result<std::unique_ptr<Poll>> make(Loop& loop, int fd, std::function<void()> callback);
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  // `events`: UV_READABLE, UV_WRITABLE. Calls back also when the peer is gone or the descriptor is
  // broken, since the next read or write says so. The callback may destroy the Poll.
  void start(int events);
  void stop();

 private:
  struct State;
  explicit Poll(State* state) : state_(state) {}
  State* state_;
};

}  // namespace leat
