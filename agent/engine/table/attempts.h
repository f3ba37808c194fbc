// How often, and for how long, a database that cannot be read is asked again. A read without an end
// goes on for ever; one that ends gives up, so that whoever has started it knows: soon where
// nothing could be read at all, later when it may be a server that is restarted.
//
// Thread: any, one at a time. All times are Clock::monotonic_us().
#pragma once

#include <cstdint>
#include <optional>

#include "base/backoff.h"
#include "base/outage.h"
#include "base/result.h"
#include "base/units.h"

namespace leat::table {

class Attempts {
 public:
  explicit Attempts(bool bounded);

  // An attempt has failed, for a reason that may pass. Gives how long to wait before the next; an
  // error when it is given up.
  Result<Milliseconds> failed(const Error& error, int64_t now_us);
  // Whether there is something new to say of it; asked once after each failure.
  bool to_be_said(int64_t now_us);
  // Gives how long it had failed before, where it had.
  std::optional<Milliseconds> went_well(int64_t now_us);

 private:
  const bool bounded_;
  bool reached_ = false;  // once, in this run
  bool is_new_ = false;
  Backoff backoff_;
  Outage outage_;
};

}  // namespace leat::table
