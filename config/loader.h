// From the text of a configuration file to an AgentConfig, or to everything that is wrong with it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config_files.h"
#include "config/json.h"
#include "config/substitute.h"
#include "options/problems.h"
#include "plan/pipeline_config.h"
#include "stage/registry.h"

namespace leat {

// What a configuration is read against. Must stay as it is during the call.
struct LoadContext {
  const Registry& registry;
  Variables variables;
  std::string data_dir = {};   // from the command line, wins over agent.dataDir; "" when not given
  std::string host_name = {};  // default of agent.id
  // Reads the certificates and keys that it names, too: on the machine that is to run it.
  bool open_files = false;
  std::string only = {};  // this pipeline alone is looked at; "" for all
};

// Nullopt when an error was added to `problems`; everything that can be found wrong at once is, and
// warnings. Each stage has then been made once on trial, so that what only it can judge (an
// expression, a URL) is judged, and each pipeline can be planned. Nothing was connected.
std::optional<AgentConfig> load_config(std::span<const ConfigFile> files,
                                       const LoadContext& context, Problems& problems);
// No more than agent.dataDir (or the context's data_dir): whatever is wrong with the rest, the
// agent that runs can be asked. Nullopt: `problems` has why.
std::optional<std::string> load_data_dir(std::span<const ConfigFile> files,
                                         const LoadContext& context, Problems& problems);
std::optional<AgentConfig> load_config(std::string_view text, const LoadContext& context,
                                       Problems& problems);

}  // namespace leat
