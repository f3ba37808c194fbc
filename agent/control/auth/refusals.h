// Commands from afar that were refused: counted by why, and said at most once a minute, so that who
// sends many of them fills neither the log nor anything else.
//
// Thread: the main loop's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace leat::control {

enum class Refusal {
  // Nobody is answered: it may come from anybody.
  kOversized,
  kMalformed,  // not signed at all
  kUnknownKey,
  kBadSignature,
  // It comes from who has the key, who may know why.
  kUnreadable,  // what is signed is no command
  kOtherAddressee,
  kReplayed,  // its counter was there already, or a higher one
  kCounterAhead,
  kTooEarly,
  kExpired,
  kRole,         // of the key: too low for the command
  kUnavailable,  // what was used before is not known
};
inline constexpr size_t kRefusals = 12;

// "bad signature"
std::string_view name_of(Refusal refusal);
// Whether who sent it may be told.
constexpr bool is_from_key_holder(Refusal refusal) {
  return refusal >= Refusal::kUnreadable;
}
// For them: "its counter was used before: sign the command anew".
std::string_view reason_of(Refusal refusal);

class Refusals {
 public:
  using Counts = std::array<uint64_t, kRefusals>;

  // `on_said`: with what was counted since it was said before, at most once a minute.
  Refusals(const Clock& clock, std::function<void(const std::string& what)> on_said)
      : clock_(clock), on_said_(std::move(on_said)) {}

  void add(Refusal refusal);
  const Counts& counts() const { return counts_; }  // since the start
  uint64_t total() const;

 private:
  const Clock& clock_;
  const std::function<void(const std::string&)> on_said_;
  Counts counts_ = {};
  Counts said_counts_ = {};
  log::OnceAMinute said_;
};

}  // namespace leat::control
