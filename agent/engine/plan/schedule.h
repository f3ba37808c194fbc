// When a pipeline that ends by itself is started again, as its configuration says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time_zone.h"
#include "base/units.h"
#include "plan/cron.h"

namespace leat {

struct ScheduleConfig {
  Milliseconds every{0};  // from start to start; 0: by `cron`
  Cron cron;
  TimeZone zone;
  std::string text;  // of the two, as people write them: `every 5m`, `15 2 * * * (UTC)`
  // After failed runs.
  Milliseconds retry_initial{10'000};
  Milliseconds retry_max{300'000};
  int threshold = 5;
  Milliseconds cooldown{1'800'000};
  bool operator==(const ScheduleConfig&) const = default;
};

}  // namespace leat
