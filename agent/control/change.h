// What a new configuration changes, as data, before anything is touched.
//
// It is computed from what was wanted last, never from what runs: that may still be on its way
// there, such as a pipeline that drains since it is not wanted any more. Two configurations are the
// same when they mean the same: white space, the order of keys, and defaults that are spelled out
// change nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"

namespace leat {

// A pipeline that is wanted now.
struct WantedPipeline {
  std::shared_ptr<const PipelineConfig> config;
  bool ended = false;  // it has done its work, or failed; a new configuration starts it again
};

// Names of pipelines; each is in one of the first four.
struct Change {
  std::vector<std::string> kept;
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;
  // Those of `changed` that could not be opened, and go on as they were. Known when all that is new
  // has been made.
  std::vector<std::string> refused;
  std::vector<std::string> refused_why;  // of each of them

  bool starts(const std::string& name) const;  // it is one of `added` or `changed`
};

// `all_change`: something that each pipeline was made with is different.
Change compute_change(const std::map<std::string, WantedPipeline>& wanted,
                      const std::vector<PipelineConfig>& fresh, bool all_change);

}  // namespace leat
