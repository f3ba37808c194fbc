#include "control/probation.h"

#include <algorithm>
#include <utility>

namespace leat {
namespace {

bool is_well(PipelineState state) {
  return state == PipelineState::kRunning || state == PipelineState::kDraining ||
         state == PipelineState::kEnded || state == PipelineState::kScheduled ||
         state == PipelineState::kStandby;
}

std::string with_reason(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

// What filters leave out was input that came to a good end.
bool has_undelivered_input(const PipelineStatus& counters) {
  return counters.waiting > 0 || counters.dead_letters > 0 || counters.dropped > 0;
}

}  // namespace

Probation::Probation(const Snapshot& before, const Change& change)
    : touched_(change.added.begin(), change.added.end()) {
  touched_.insert(change.changed.begin(), change.changed.end());
  for (const PipelineSnapshot& one : before.pipelines) {
    // One that had failed is started again by any change, and may fail again.
    if (one.state == PipelineState::kFailed) touched_.erase(one.name);
    if (touched_.contains(one.name) && is_well(one.state) && one.counters.delivered > 0)
      delivered_.insert(one.name);
    removes_deliverer_ |= one.counters.delivered > 0 &&
                          std::ranges::find(change.removed, one.name) != change.removed.end();
  }
}

Probation::Probation(const Change& change, std::set<std::string> delivered)
    : touched_(change.added.begin(), change.added.end()), delivered_(std::move(delivered)) {}

void Probation::include(const Probation& earlier) {
  touched_.insert(earlier.touched_.begin(), earlier.touched_.end());
  delivered_.insert(earlier.delivered_.begin(), earlier.delivered_.end());
  removes_deliverer_ |= earlier.removes_deliverer_;
}

std::string Probation::failure_of(const Change& change) const {
  if (change.refused.empty()) return "";
  return change.refused.front() +
         " cannot be opened in its new form: " + change.refused_why.front();
}

std::string Probation::failure_of(const PipelineEnd& end) const {
  if (end.status || end.told || !touched_.contains(end.name)) return "";
  return end.name + " failed: " + end.status.error().message();
}

std::string Probation::verdict(const Snapshot& now) const {
  for (const PipelineSnapshot& one : now.pipelines) {
    if (!touched_.contains(one.name)) continue;
    if (one.state == PipelineState::kFailed)
      return with_reason(one.name + " has failed", one.reason);
    if (!delivered_.contains(one.name) || one.state == PipelineState::kHeld) continue;
    if (one.state == PipelineState::kStarting)
      return with_reason(one.name + " delivered before, and has not started", one.reason);
    if (one.counters.delivered == 0 && has_undelivered_input(one.counters))
      return with_reason(one.name + " delivered before, and delivers nothing now", one.reason);
  }
  return "";
}

}  // namespace leat
