// A pipeline's codecs and transforms run on sample bytes: without its source and its sink, without
// network and journal.
//
// Thread: any one; nothing of a running agent is touched.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plan/pipeline_config.h"

namespace leat {

struct TrialSample {
  // What the source would read. Where it takes messages, each line is one.
  std::string_view bytes;
  std::string_view address = {};  // that messages come from: an MQTT topic
};

struct TrialRecord {
  std::string text;        // a record as JSON; or else its bytes, without the end of the line
  bool is_record = false;  // of which `text` is the JSON
};

struct TrialDeadLetter {
  uint64_t line = 0;  // of the sample, from 1; of messages their number
  std::string reason;
  std::string what;  // the record as JSON, or its bytes
};

struct TrialStage {
  std::string name;  // as in the plan
  std::vector<TrialRecord> records = {};
  std::vector<TrialDeadLetter> dead_letters = {};
  uint64_t filtered = 0;
  uint64_t dropped = 0;
};

struct Trial {
  std::vector<TrialStage> stages;
  std::string opening;            // what begins the document that the sink would make: a CSV header
  std::vector<TrialRecord> sent;  // what the sink would get
};

// All of the sample is one batch, so a query sees all of it. kUsage: a source that makes its
// records itself, or fields of messages without an address; else what stops the pipeline.
Result<Trial> try_pipeline(const PipelineConfig& config, const TrialSample& sample,
                           const Clock& clock);

}  // namespace leat
