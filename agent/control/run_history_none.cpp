// In builds without the tools no history of runs is kept, and so no run has a number.
#include "control/run_history.h"

namespace leat {

void RunHistory::load(std::function<void(Status)> done) {
  static_cast<void>(journal_);  // nothing is in it
  done({});
}

RunRecord RunHistory::begin(const std::string& pipeline, RunParameters parameters, int64_t now_us) {
  return {pipeline, 0, std::move(parameters), now_us};
}

void RunHistory::note_start(const RunRecord& /*run*/, const std::function<void(Status)>& done) {
  done(fail(ErrorKind::kUsage, "this build of leat keeps no runs"));
}

void RunHistory::note_end(const RunRecord& /*run*/, const RunEnd& /*end*/,
                          const PipelineStatus& /*counters*/) {}

void RunHistory::forget(const RunRecord& /*run*/) {}

}  // namespace leat
