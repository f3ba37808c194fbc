// `agent.control`: by whom commands from afar are signed.
#pragma once

#include "options/options.h"
#include "options/problems.h"
#include "plan/pipeline_config.h"

namespace leat {

// Of the options of `agent.control`. Keys that protect nothing are refused: guessable ones, two of
// one name, none at all; as is all of it by a build without it. `open_files`: as LoadContext
// has it.
ControlConfig load_control(const Options& options, Problems& problems, bool open_files);

}  // namespace leat
