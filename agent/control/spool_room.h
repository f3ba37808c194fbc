// Whether the partition of the data folder has what the pipelines may spool. Any thread.
#pragma once

#include <string>
#include <vector>

#include "plan/pipeline_config.h"

namespace leat {

// A warning when maxSpool of all pipelines that spool is more than the journal can take: what is
// free on its partition, and what it has already. "" when all is well.
std::string spool_room_warning(const std::vector<PipelineConfig>& pipelines,
                               const std::string& data_dir);

}  // namespace leat
