// The last words of a sink for a job: all is delivered, so they are tried until they are said, or
// cannot be.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <string>

#include "base/backoff.h"
#include "base/result.h"
#include "loop/handles.h"

namespace leat::table {

class JobFinish {
 public:
  using Done = std::function<void(Status)>;
  // Tries once, and calls `end` once, then or later.
  using Attempt = std::function<void(Done end)>;

  JobFinish(Loop& loop, std::string pipeline) : pipeline_(std::move(pipeline)), timer_(loop) {}

  // `done` is called once, with an error other than kUnavailable where it cannot be done; not when
  // this is destroyed before.
  void start(Attempt attempt, Done done);

 private:
  void go();
  void ended(const Status& status);

  const std::string pipeline_;
  Attempt attempt_;
  Done done_;
  DoublingDelay delay_{Milliseconds{500}, Milliseconds{30'000}};
  Timer timer_;
};

}  // namespace leat::table
