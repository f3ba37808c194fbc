// declare → plan → materialize: from the configured chain to the chain that runs, with the codecs
// that nobody wired by hand.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "plan/pipeline_config.h"

namespace leat {

// One step of a plan.
struct Step {
  enum class Kind {
    kSource,
    kSplit,
    kDecode,
    kMessageFields,
    kFieldTypes,
    kEventTime,
    kTransform,
    kEncode,
    kSink
  };
  Kind kind;
  std::string label;     // "file", "decode json", "filter", "split", "http"
  std::string note;      // why the planner put it there, or "" for what was declared
  size_t transform = 0;  // kTransform: index into PipelineConfig::transforms
};

struct Plan {
  std::vector<Step> declared;  // what the configuration says
  std::vector<Step> injected;  // with the codecs that connect what stages give and take
  std::vector<Step> final;     // after dropping decode + encode pairs that cancel out
};

// What one task of a pipeline does: all of it, or a shard (a table, a file, a range of keys).
struct TaskPlan {
  std::string name;        // under which the journal keeps its positions and its spool
  Options source_options;  // for what it is to read
  // It has no source by itself, but a lane of that of the first (Source::lane).
  bool joins = false;
};
// One; or, for a job that reads several things at once and whose sink can take them side by side,
// as many as fit into `memory` (bytes): see agent/engine/pipeline/README.md.
std::vector<TaskPlan> plan_tasks(const PipelineConfig& config, size_t memory);

// Transforms one behind the other that can run on other loops, by their places in the chain: those
// of Plan::final but the source. `behind` is no more of it.
struct ParallelRun {
  size_t first;
  size_t behind;
};
// In their order. None between two transforms that remember something: what those have counted must
// be the same records when it is saved.
std::vector<ParallelRun> parallel_runs(const PipelineConfig& config, const Plan& plan);

// Those of them, with their numbers ("2 map, 4 filter"), where `parallel` is configured; else "".
std::string parallel_stages(const PipelineConfig& config, const Plan& plan);

// Whether the source has a place that it can go back to.
bool source_has_place(const PipelineConfig& config);

// Whether rows go from the source to the sink as the source has them.
bool rows_pass(const PipelineConfig& config);

// What `delivery.spool` is when it is not given: what the source needs, and no more.
SpoolMode default_spool_mode(const PipelineConfig& config);

// Fails with kUsage when the chain cannot work (exactlyOnce with a sink that cannot store
// positions), as OptionErrors do; `path` is where the pipeline stands ("pipelines[0]").
Result<Plan> plan(const PipelineConfig& config, const std::string& path);

// The three chains, for `leat explain`.
std::string explain(const PipelineConfig& config, const Plan& plan);

}  // namespace leat
