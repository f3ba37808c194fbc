// The signals that the agent answers.
//
// From the first line of main() on they are blocked, in every thread that is made after that, and
// wait in the kernel until a loop reads them: none kills, and none is lost, neither before the loop
// turns nor when it does not any more. (A handler can do neither: there is a time before it is set,
// and its end brings the default back.) Several of one kind that wait together count as one.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "loop/handles.h"

namespace leat {

// SIGHUP, SIGINT, SIGTERM and SIGUSR1; SIGUSR2 and SIGPIPE mean nothing to us. Before the first
// thread. For what is done after release_signals(), again.
void hold_signals();
// They end the process again, as they do other programs; also those that came meanwhile.
void release_signals();

// Calls back, on the loop, with the number of each signal that is held.
class Signals {
 public:
  Signals(Loop& loop, std::function<void(int number)> callback);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void read_all();

  int fd_;
  std::function<void(int)> callback_;
  std::unique_ptr<Poll> poll_;
};

}  // namespace leat
