// Something that goes wrong again and again: logged the first time, then at most once a minute with
// its number.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace leat {

class RateLimitedLog {
 public:
  // `what` went wrong ("/dev/ttyUSB0: a byte was skipped"); the line says behind it how often.
  // `scope` is the pipeline.
  RateLimitedLog(const Clock& clock, std::string scope, std::string what);

  void note(uint64_t times = 1);
  // Says what was not said yet: nothing more will come.
  void finish();
  uint64_t total() const { return total_; }

 private:
  void say();

  const Clock& clock_;
  const std::string scope_;
  const std::string what_;
  uint64_t total_ = 0;
  uint64_t unsaid_ = 0;
  log::OnceAMinute said_;
};

}  // namespace leat
