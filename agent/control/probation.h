// What a new configuration must show before it counts as good: that the pipelines it changes can
// start, and that those which delivered still do.
//
// Thread: the main loop's.
#pragma once

#include <set>
#include <string>

#include "control/change.h"
#include "control/snapshot.h"
#include "control/supervisor.h"

namespace leat {

class Probation {
 public:
  // `before`: how things were when the change was made.
  Probation(const Snapshot& before, const Change& change);
  // One that the end of the agent cut short goes on: of what is started now, these delivered.
  Probation(const Change& change, std::set<std::string> delivered);
  // Another change came while `earlier` was not over: what that watched is watched still.
  void include(const Probation& earlier);

  // Nothing was added or changed, and nothing removed that delivered: there is nothing to watch. Of
  // what was removed only this is: whether who sent the change can still be heard (refuse()).
  bool nothing_to_watch() const { return touched_.empty() && !removes_deliverer_; }
  // Why it has failed already, now that the change is made, or that a pipeline has ended so; ""
  // when that says nothing.
  std::string failure_of(const Change& change) const;
  std::string failure_of(const PipelineEnd& end) const;
  const std::set<std::string>& delivered() const { return delivered_; }
  // At its end. "" when all is well.
  std::string verdict(const Snapshot& now) const;

 private:
  std::set<std::string> touched_;    // added or changed, and had not failed before
  std::set<std::string> delivered_;  // of them, those that did, and were not in trouble
  bool removes_deliverer_ = false;
};

}  // namespace leat
