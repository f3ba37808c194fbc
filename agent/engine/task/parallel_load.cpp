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

void ParallelLoad::sees(size_t waiting, bool held_up, Milliseconds now) {
  const bool over = !held_up && waiting > static_cast<size_t>(config_.threshold);
  if (!since_ && !over) return;
  if (!since_) since_ = now;
  // Between two looks it is as it was at the first: a turn may be long.
  if (std::exchange(over_, over)) over_for_ += now - looked_;
  looked_ = now;
  const Milliseconds span = now - *since_;
  if (span < kPatience) return;
  const bool breached = over_for_.count() * 100 >= span.count() * kMostlyOver;
  since_ = over ? std::optional(now) : std::nullopt;
  over_for_ = {};
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
