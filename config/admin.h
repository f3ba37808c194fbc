// `agent.admin`: who may be let in, and from where.
#pragma once

#include "options/options.h"
#include "options/problems.h"
#include "plan/pipeline_config.h"

namespace leat {

// Of the options of `agent.admin`. What others can reach is refused without TLS and tokens, as is
// all of it by a build without it. `open_files`: as LoadContext has it.
AdminConfig load_admin(const Options& options, Problems& problems, bool open_files);

}  // namespace leat
