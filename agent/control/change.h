// What a new configuration changes, as data, before anything is touched.
//
// It is computed from what was wanted last, never from what runs: that may still be on its way
// there, such as a pipeline that drains since it is not wanted any more.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"

namespace leat {

// A pipeline that is wanted now.
struct WantedPipeline {
  std::string text;    // its configuration
  bool ended = false;  // it has done its work, or failed; a new configuration starts it again
};

// Names of pipelines; each is in one of them.
struct Change {
  std::vector<std::string> kept;
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;
};

// `all_change`: something that each pipeline was made with is different.
Change compute_change(const std::map<std::string, WantedPipeline>& wanted,
                      const std::vector<PipelineConfig>& fresh, bool all_change);

}  // namespace leat
