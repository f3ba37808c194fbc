// How a pipeline delivers: the checked `delivery` and `deadLetters` options.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"

namespace leat {

enum class SpoolMode {
  kNever,      // what is not delivered waits in memory, and then at the source
  kOnTrouble,  // it is journaled while the sink cannot take it
  kAlways,     // everything is journaled before it is delivered
};

enum class Overflow { kBlock, kDropOldest, kDropNewest };

struct SpoolConfig {
  SpoolMode mode = SpoolMode::kNever;
  bool survives_power_cut = true;  // else only the death of the process
  int64_t max_bytes = 64 << 20;    // on disk, of this pipeline
  Overflow overflow = Overflow::kBlock;
  // What is read back from the journal goes to the sink at so many bytes a second. 0: no limit.
  int64_t catch_up_bytes = 0;
  // Trouble, too, is an acknowledgement that the source has had to wait for longer than this.
  Milliseconds max_ack_hold{5'000};
  bool operator==(const SpoolConfig&) const = default;
};

struct DeliveryConfig {
  bool exactly_once = false;
  SpoolConfig spool;
  // Exponential backoff with full jitter between these two (AWS Architecture Blog, "Exponential
  // Backoff And Jitter").
  Milliseconds retry_initial{500};
  Milliseconds retry_max{60'000};
  // The circuit opens after this many failed attempts in a row, and lets one attempt through after
  // each wait: half as long as the outage has lasted, from 1 s to breaker_cooldown (and up to a
  // tenth more, so that many agents do not come back at once).
  int breaker_threshold = 5;
  Milliseconds breaker_cooldown{30'000};
  Milliseconds checkpoint{
      30'000};  // at most, from one saving of what transforms remember to the next
  bool operator==(const DeliveryConfig&) const = default;
};

struct DeadLetterConfig {
  std::string path;              // "" means <dataDir>/dead-letters/<pipeline>.jsonl
  int64_t max_bytes = 64 << 20;  // then the file is rotated once and the older half is let go
  bool operator==(const DeadLetterConfig&) const = default;
};

}  // namespace leat
