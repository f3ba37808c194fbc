#include "control/snapshot.h"

#include <algorithm>

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
    case PipelineState::kDraining:
      return "draining";
    case PipelineState::kFailed:
      return "failed";
    case PipelineState::kPaused:
      return "paused";
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

size_t Snapshot::running() const {
  return static_cast<size_t>(std::ranges::count_if(pipelines, &PipelineSnapshot::runs));
}

}  // namespace leat
