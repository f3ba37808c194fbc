#include "control/snapshot.h"

#include <algorithm>
#include <iterator>

namespace leat {
namespace {

// A start writes more than running does.
constexpr Milliseconds kLeastForALife{10 * 60'000};

}  // namespace

std::string_view name_of(PipelineState state) {
  switch (state) {
    case PipelineState::kStarting:
      return "starting";
    case PipelineState::kRunning:
      return "running";
    case PipelineState::kSpooling:
      return "spooling";
    case PipelineState::kRetrying:
      return "retrying";
    case PipelineState::kCircuitOpen:
      return "circuit open";
    case PipelineState::kHeld:
      return "held";
    case PipelineState::kDraining:
      return "draining";
    case PipelineState::kFailed:
      return "failed";
    case PipelineState::kRegistered:
      return "registered";
    case PipelineState::kMounted:
      return "mounted";
    case PipelineState::kUnmounted:
      return "unmounted";
    case PipelineState::kPaused:
      return "paused";
    case PipelineState::kStopped:
      return "stopped";
    case PipelineState::kScheduled:
      return "scheduled";
    case PipelineState::kStandby:
      return "standby";
    case PipelineState::kEnded:
      return "ended";
  }
  return "";
}

std::optional<Milliseconds> Snapshot::flash_life() const {
  if (flash_endurance == 0 || journal_written_bytes == 0 || uptime < kLeastForALife)
    return std::nullopt;
  const double ms = static_cast<double>(flash_endurance) /
                    static_cast<double>(journal_written_bytes) *
                    static_cast<double>(uptime.count());
  constexpr double kLongest = 1e15;  // thirty thousand years
  return Milliseconds(static_cast<int64_t>(std::min(ms, kLongest)));
}

AgentNumbers numbers_of(const Snapshot& snapshot) {
  AgentNumbers out;
  for (const PipelineSnapshot& pipeline : snapshot.pipelines) {
    if (pipeline.own) continue;
    const TaskStatus& totals = pipeline.totals;
    const PipelineStatus& now = pipeline.counters;
    const uint64_t numbers[] = {
        totals.records,
        totals.delivered,
        totals.filtered,
        totals.dropped,
        totals.dead_letters,
        now.waiting,
        totals.spooled,
        totals.spool_dropped,
        totals.spool_lost,
        totals.retries,
        totals.bytes_read,
        now.spool_bytes,
        now.memory_used,
        static_cast<uint64_t>(now.oldest_waits_for.value_or(Milliseconds{0}).count())};
    static_assert(std::size(numbers) == kPipelineNumbers.size());
    PipelineNumbers& one = out.emplace_back();
    one.pipeline = pipeline.name;
    one.state = name_of(pipeline.state);
    one.reason = pipeline.reason;
    std::ranges::transform(numbers, one.numbers.begin(),
                           [](uint64_t number) { return static_cast<int64_t>(number); });
  }
  return out;
}

size_t Snapshot::running() const {
  return static_cast<size_t>(
      std::ranges::count_if(pipelines, [](const auto& one) { return one.runs && !one.own; }));
}

}  // namespace leat
