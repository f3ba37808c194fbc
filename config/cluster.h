// `agent.cluster`, and what may be `exclusive` in it.
#pragma once

#include "options/options.h"
#include "options/problems.h"
#include "plan/pipeline_config.h"

namespace leat {

// Of the options of `agent.cluster`. `open_files`: as LoadContext has it.
ClusterConfig load_cluster(const Options& options, Problems& problems, bool open_files);

// Of a pipeline that is to be exclusive, `options`; only what any agent of a group can go on with
// can be. `in_a_group`: there is an agent.cluster.
void check_exclusive(const PipelineConfig& pipeline, const Options& options, bool in_a_group,
                     Problems& problems);

}  // namespace leat
