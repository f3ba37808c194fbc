// The states of a task, and how it ended. Knows no stage: whoever owns it does what a state is for.
//
// Thread: the pipeline's loop thread.
#pragma once

#include "base/result.h"

namespace leat {

class Lifecycle {
 public:
  enum class State {
    kStarting,   // asks where to resume
    kRunning,    // records move
    kDraining,   // nothing new is read; what was is delivered or spooled
    kFinishing,  // all is delivered; the sink has its last word
    kClosing,    // stages let go of their handles
    kDone,
  };

  State state() const { return state_; }
  bool starting() const { return state_ == State::kStarting; }
  bool running() const { return state_ == State::kRunning; }
  bool draining() const { return state_ == State::kDraining; }
  bool finishing() const { return state_ == State::kFinishing; }
  bool moves_records() const { return running() || draining(); }
  bool over() const { return state_ == State::kClosing || state_ == State::kDone; }

  // Each says whether it is a step from the present state; otherwise nothing changes.
  bool run() { return step(State::kStarting, State::kRunning); }
  bool drain() { return step(State::kRunning, State::kDraining); }
  bool finish() { return step(State::kRunning, State::kFinishing); }
  // From any state but the last two. `stages` close, each in its own time.
  bool close(int stages);
  // One of them has. True for the last one: the task is done.
  bool stage_closed();

  // The first failure is the result. False when there was one before.
  bool fail_with(const Error& error);
  bool failed() const { return !result_; }
  const Status& result() const { return result_; }

 private:
  bool step(State from, State to);

  State state_ = State::kStarting;
  int open_ = 0;  // stages that close
  Status result_;
};

}  // namespace leat
