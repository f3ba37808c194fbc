#include "task/lifecycle.h"

namespace leat {

bool Lifecycle::step(State from, State to) {
  if (state_ != from) return false;
  state_ = to;
  return true;
}

bool Lifecycle::close(int stages) {
  if (over()) return false;
  state_ = State::kClosing;
  open_ = stages;
  return true;
}

bool Lifecycle::stage_closed() {
  if (state_ != State::kClosing || --open_ > 0) return false;
  state_ = State::kDone;
  return true;
}

bool Lifecycle::fail_with(const Error& error) {
  if (!result_) return false;
  result_ = fail(error);
  return true;
}

}  // namespace leat
