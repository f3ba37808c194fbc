// When pipelines with a schedule are started next (PipelineConfig::schedule), and how many of their
// runs have failed in a row. It is kept in the journal, as positions of the agent itself (its
// pipeline is called ""): partition "schedule:NAME", value five words, text_of(). It is written
// when a run has ended, and for a time of the clock when that is looked at first; so one that was
// cut short, or that was missed while the agent was away, is due at the next start, once. It goes
// with the schedule: once a configuration has none for the pipeline, unless that is not enabled.
//
// What comes while a run goes on is left out: it would do the same work again.
//
// Time: `every`, and the waits after failures, are so much later than they were decided, and so
// however the clock is put meanwhile at most that late; after a restart the clock says how much has
// passed. `cron` goes by the clock. As in cron(8), one that is put back by less than three hours
// repeats nothing; by more it was wrong before, and all is looked at anew.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/result.h"
#include "journal/journal.h"
#include "plan/pipeline_config.h"

namespace leat {

struct ScheduleState {
  int64_t decided_us = 0;  // unix
  int64_t due_us = 0;      // unix
  int failures = 0;        // runs, in a row
  bool by_clock = false;   // due at that time; else so long after it was decided
  std::string of = {};     // ScheduleConfig::text: with another one it begins anew
  bool operator==(const ScheduleState&) const = default;
};

std::string text_of(const ScheduleState& state);
ScheduleState schedule_state_of(std::string_view text);

class Schedules {
 public:
  Schedules(JournalClient& journal, const Clock& clock);

  // Of pipelines that have no schedule any more nothing is kept; of these it is.
  void keep_only(const std::set<std::string>& pipelines);
  // What is in the journal. After an error all begin anew.
  void load(std::function<void(Status)> done);
  // Until it is to be started; 0: now. `config` has a schedule, as in the next.
  Milliseconds left(const PipelineConfig& config);
  // When that is: unix, microseconds.
  int64_t next_us(const PipelineConfig& config);
  int failures(const std::string& pipeline) const;
  // As it is kept, for the others of a group, by a clock that is `ahead_us` of this one's; "" when
  // nothing is known. And what one of them has kept: it is what holds.
  std::string shared_state(const std::string& pipeline, int64_t ahead_us) const;
  void take_over(const std::string& pipeline, const std::string& state, int64_t ahead_us);
  // A run has ended so, after `elapsed`: gives how long it is until the next.
  Milliseconds ended(const PipelineConfig& config, const Status& status, Milliseconds elapsed);

 private:
  ScheduleState& state_of(const PipelineConfig& config);
  void keep(const std::string& pipeline);

  JournalClient& journal_;
  const Clock& clock_;
  Backoff backoff_;
  std::map<std::string, ScheduleState> all_;
};

}  // namespace leat
