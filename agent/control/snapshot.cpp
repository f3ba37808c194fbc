#include "control/snapshot.h"

#include <algorithm>

namespace leat {

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

size_t Snapshot::running() const {
  return static_cast<size_t>(std::ranges::count_if(pipelines, &PipelineSnapshot::runs));
}

}  // namespace leat
