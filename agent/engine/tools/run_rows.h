// Where the runs of pipelines are in the journal: positions of the pipeline ":runs", which none can
// be called. Partition "NAME:NUMBER", the number with ten digits, so that they are in order; value
// a JSON object that begins with "started", always as long, and "ended", when that is known.
//
// Thread: any; what takes a journal, the journal's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "journal/database.h"
#include "record/position.h"

namespace leat {

inline constexpr std::string_view kRunsPipeline = ":runs";

std::string run_partition(const std::string& pipeline, uint64_t number);

struct RunNumbers {
  uint64_t oldest = 1;  // all before it have gone
  uint64_t last = 0;
};
// By pipeline: which runs there are.
Result<std::map<std::string, RunNumbers>> run_numbers(JournalDatabase& journal);

// Runs that were asked for have positions of their own, as "PIPELINE~NUMBER", for as long as they
// go on. Those that are there, without their values.
using PositionsByPipeline = std::map<std::string, std::vector<SavedPosition>>;
Result<PositionsByPipeline> positions_of_runs(JournalDatabase& journal);

}  // namespace leat
