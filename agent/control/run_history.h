// The runs of pipelines, in the journal (tools/run_rows.h): what each read and delivered, when, and
// why it ended. The last kKept of each pipeline are kept.
//
// Flash pays for each write, so nothing is written that tells nothing: a run has a row from the
// first time that something is written after it has read something, in the same transaction, and
// then when it ends. One that never read anything has none, but for those that end by themselves,
// those that were asked for, and a failure that is not the same once more. A run without an end in
// the journal, which does not run, was cut short: nothing has to be mended at a start.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/snapshot.h"
#include "journal/journal.h"
#include "tools/run_rows.h"

namespace leat {

using RunParameters = std::map<std::string, std::string>;

struct RunRecord {
  std::string pipeline = {};
  uint64_t number = 0;  // of this pipeline; 0: none is kept
  RunParameters parameters = {};
  int64_t started_us = 0;  // unix
};

// How a run has ended.
struct RunEnd {
  std::string_view state;  // "succeeded", "failed", "stopped"
  std::string reason = {};
  Milliseconds elapsed{0};
  int64_t ended_us = 0;  // unix
};

// As the journal has it; without an end of one that runs.
std::string json_of_started(const RunRecord& run);
std::string json_of_ended(const RunRecord& run, const RunEnd& end, const PipelineStatus& counters);
std::string json_of_running(const RunRecord& run, Milliseconds elapsed,
                            const PipelineStatus& counters);

class RunHistory {
 public:
  static constexpr uint64_t kKept = 100;

  explicit RunHistory(JournalClient& journal) : journal_(journal) {}

  // Which there are; of those that were cut short what nobody needs is taken away. After an error
  // they are numbered as if there were none.
  void load(std::function<void(Status)> done);
  RunRecord begin(const std::string& pipeline, RunParameters parameters, int64_t now_us);
  // Of one that is to be known before it begins. `done` when it is in the journal.
  void note_start(const RunRecord& run, const std::function<void(Status)>& done);
  void note_end(const RunRecord& run, const RunEnd& end, const PipelineStatus& counters);
  // It has told nothing: its number is free again, when no other has begun since.
  void forget(const RunRecord& run);

 private:
  JournalClient& journal_;
  std::map<std::string, RunNumbers> numbers_;
};

}  // namespace leat
