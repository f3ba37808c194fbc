// Whether what is looked up in the caches of a configuration is put in there.
#pragma once

#include <functional>
#include <vector>

#include "options/problems.h"
#include "plan/pipeline_config.h"

namespace leat {

// A cache that nobody fills, or two do, or that is looked up by a key of another length. `add` is
// called with the index of the pipeline whose option is wrong.
void check_caches(const std::vector<PipelineConfig>& pipelines,
                  const std::function<void(size_t, Problem)>& add);

}  // namespace leat
