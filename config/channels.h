// Whether the channels of a configuration lead from somewhere to somewhere.
#pragma once

#include <functional>
#include <vector>

#include "options/problems.h"
#include "plan/pipeline_config.h"

namespace leat {

// A channel that nobody reads or nobody writes, and ways that lead back to where they begin. `add`
// is called with the index of the pipeline whose option is wrong.
void check_channels(const std::vector<PipelineConfig>& pipelines,
                    const std::function<void(size_t, Problem)>& add);

}  // namespace leat
