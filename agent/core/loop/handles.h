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
#include "base/units.h"

namespace leat {

// One-shot or repeating timer.
class Timer {
 public:
  explicit Timer(uv_loop_t* loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Starting a running timer starts it anew. The callback may destroy the Timer.
  void start(Milliseconds delay, std::function<void()> callback);
  void start_repeating(Milliseconds period, std::function<void()> callback);
  void stop();
  bool active() const;
  // Does not keep the loop alive.
  void unref();

 private:
  struct State;
  State* state_;
};

// Wakes the loop from another thread; several sends may become one call.
class Async {
 public:
  Async(uv_loop_t* loop, std::function<void()> callback);
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
  Idle(uv_loop_t* loop, std::function<void()> callback);
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
  static Result<std::unique_ptr<Poll>> make(uv_loop_t* loop, int fd,
                                            std::function<void()> callback);
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
