// The time in which something is away and is tried again: since when, how often in vain, and why;
// how long until it is worth another attempt; and when there is something new to say of it, once a
// minute at least. How the waits are spread, and the words, are its owner's.
//
// Thread: any, one at a time. All times are Clock::monotonic_us().
#pragma once

#include <cstdint>
#include <string>

#include "base/backoff.h"
#include "base/log.h"
#include "base/units.h"

namespace leat {

class Outage {
 public:
  // The bounds of delay().
  Outage(Milliseconds shortest, Milliseconds longest) : growing_(shortest, longest) {}

  // An attempt has failed. True when that is new: it is the first, or the reason is another.
  bool failed(const std::string& reason, int64_t now_us);
  // It is there again.
  void over();

  bool lasts() const { return failures_ > 0; }
  int failures() const { return failures_; }  // in a row
  const std::string& reason() const { return reason_; }
  Milliseconds lasted(int64_t now_us) const { return Milliseconds((now_us - since_us_) / 1000); }

  // As GrowingDelay; from its shortest again once something has changed.
  Milliseconds delay(int64_t now_us) const { return growing_.at(now_us); }
  void changed(int64_t now_us) { growing_.begin(now_us); }

  // As log::OnceAMinute.
  bool due(int64_t now_us) { return said_.due(now_us); }
  void said(int64_t now_us) { said_.said(now_us); }

 private:
  int failures_ = 0;
  int64_t since_us_ = 0;
  std::string reason_;
  GrowingDelay growing_;
  log::OnceAMinute said_;
};

}  // namespace leat
