#include "task/parallel_load.h"

#include <algorithm>
#include <utility>

namespace leat {
namespace {

// Of the time of those that are left, in per cent: with more they would breach the threshold soon
// again. The pipeline's own loop has other work.
constexpr int64_t kMostBusy = 70;
constexpr int64_t kMostBusyAlone = 30;

// Of the time, in per cent: a source may be late with its next batch once, and a sink take a moment
// for what it was given.
constexpr int64_t kMostlyOver = 75;

}  // namespace

void ParallelLoad::sees(size_t waiting, bool held_up, int64_t now_us) {
  const bool over = !held_up && waiting > static_cast<size_t>(config_.threshold);
  if (!since_us_ && !over) return;
  if (!since_us_) since_us_ = now_us;
  // Between two looks it is as it was at the first: a turn may be long.
  if (std::exchange(over_, over)) over_us_ += now_us - looked_us_;
  looked_us_ = now_us;
  const int64_t span_us = now_us - *since_us_;
  if (span_us < kPatience.count() * 1000) return;
  const bool breached = over_us_ * 100 >= span_us * kMostlyOver;
  since_us_ = over ? std::optional(now_us) : std::nullopt;
  over_us_ = 0;
  if (!breached) return;
  ++breaches_;
  breached_ = true;
  loops_ = loops_ == 0 ? 1 : std::min(loops_ * config_.growth, config_.max);
  most_ = std::max(most_, loops_);
}

void ParallelLoad::period_ends() {
  const int fewer = loops_ == 1 ? 0 : std::max(loops_ / config_.growth, 1);
  const int64_t period_us = kPeriod.count() * 1000;
  const int64_t most_us =
      fewer == 0 ? period_us * kMostBusyAlone / 100 : fewer * period_us * kMostBusy / 100;
  if (!breached_ && busy_us_ <= most_us) loops_ = fewer;
  breached_ = false;
  busy_us_ = 0;
}

}  // namespace leat
