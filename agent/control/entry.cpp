#include "control/entry.h"

#include <algorithm>

namespace leat {
namespace {

PipelineState state_of(const PipelineStatus& running, bool held) {
  if (!running.opened) return PipelineState::kStarting;
  if (held) return PipelineState::kHeld;
  if (running.circuit_open) return PipelineState::kCircuitOpen;
  if (!running.trouble.empty()) return PipelineState::kRetrying;
  return running.spooling ? PipelineState::kSpooling : PipelineState::kRunning;
}

}  // namespace

bool Entry::may_pass(const Status& status, const Run& ended) const {
  return !status && status.error().kind() == ErrorKind::kUnavailable && !ended.bounded() &&
         !ended.retiring() && wanted != nullptr && next == nullptr && !held();
}

bool Entry::goes_back(const Status& status, const PipelineStatus& counters) const {
  return !status && status.error().kind() == ErrorKind::kUsage && !counters.opened &&
         before != nullptr && next == nullptr && wanted != nullptr;
}

// While nothing of it runs.
PipelineState Entry::rests_in() const {
  if (!mounted()) return standing.mounted ? PipelineState::kUnmounted : PipelineState::kRegistered;
  if (standing.activity == Activity::kPaused) return PipelineState::kPaused;
  if (standing.activity == Activity::kStopped) return PipelineState::kStopped;
  if (wanted != nullptr && !wanted->complete()) return PipelineState::kMounted;
  if (!over()) return PipelineState::kStarting;
  if (standby) return PipelineState::kStandby;
  if (failure.empty())
    return by_schedule() && again != nullptr ? PipelineState::kScheduled : PipelineState::kEnded;
  return by_schedule() && failed_runs >= wanted->schedule->threshold ? PipelineState::kCircuitOpen
                                                                     : PipelineState::kFailed;
}

PipelineSnapshot Entry::snapshot(const LoopProbe::Answers& answers, int64_t now_us, bool stopping) {
  if (run != nullptr)
    if (auto answer = answers.find(run->id()); answer != answers.end()) last = answer->second;
  PipelineSnapshot out;
  out.refused = refused;
  out.wanted = wanted != nullptr;
  out.own = own();
  out.counters = last;
  out.totals = ended_before;
  out.exclusive = exclusive();
  if (run == nullptr) {
    out.reason = failure;
    if (again != nullptr)
      out.next_attempt_in = Milliseconds(std::max<int64_t>(again_us - now_us, 0) / 1000);
    out.state = rests_in();
    return out;
  }
  out.runs = true;
  out.bounded = run->bounded();
  out.run = record.number;
  out.running_for = Milliseconds((now_us - started_us) / 1000);
  out.max_spool_bytes = run->config()->delivery.spool.max_bytes;
  out.totals += last;
  out.next_attempt_in = out.counters.next_attempt_in;
  out.reason = out.counters.trouble;
  out.state = run->retiring() || stopping ? PipelineState::kDraining
                                          : state_of(out.counters, run->is_held());
  return out;
}

}  // namespace leat
