// How a pipeline delivers: the checked `delivery` and `deadLetters` options.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"

namespace leat {

struct DeliveryConfig {
  bool exactly_once = false;
  // Exponential backoff with full jitter between these two (AWS Architecture Blog, "Exponential
  // Backoff And Jitter").
  Milliseconds retry_initial{500};
  Milliseconds retry_max{60'000};
  // The circuit opens after this many failed attempts in a row, and lets one attempt through after
  // each cooldown.
  int breaker_threshold = 5;
  Milliseconds breaker_cooldown{30'000};
};

struct DeadLetterConfig {
  std::string path;              // "" means <dataDir>/dead-letters/<pipeline>.jsonl
  int64_t max_bytes = 64 << 20;  // then the file is rotated once and the older half is let go
};

}  // namespace leat
