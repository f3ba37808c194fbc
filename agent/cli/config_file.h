// The configuration that a command is given: read, and what is wrong with it said.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "config/loader.h"
#include "control/config_manager.h"

namespace leat {

inline constexpr char kUsualDataDir[] = "/var/lib/leat";  // of the packages (board/)

// What the configuration of the call's -c and --data-dir is read against.
LoadContext load_context_of(const CommandCall& call);

// That of the call's -c and --data-dir; on failure `problems` has why.
std::optional<AgentConfig> load_config_of(const CommandCall& call, Problems& problems,
                                          bool open_files = false);

// The text of a file or a folder, as a configuration travels: of several files a JSON array of
// {"name", "text"}. Nullopt: it cannot be read, and `problems` has why.
std::optional<std::string> config_text(const std::string& path, Problems& problems);
// The path that the call gives: of -c, or of --datax.
const std::string& config_path(const CommandCall& call);
// That of the call's, and what it means. Of --datax: what its file is as a configuration.
std::optional<WrittenConfig> load_written_config(const CommandCall& call, Problems& problems);
// What such a text means, from wherever it came; `context` as load_context_of() gives it.
std::optional<AgentConfig> read_config_text(const LoadContext& context, const std::string& text,
                                            Problems& problems);
// All that it amounts to, without secrets; "" where it means nothing any more. Not in builds
// without the API and the tools.
std::string shown_config_text(const LoadContext& context, const std::string& text);

// For each problem a line that begins with its path and ends with its place; then how many. Not for
// none.
std::vector<std::string> problem_lines(const std::string& path, const Problems& problems);

// The pipeline of this name; "" is the only one. kUsage: there is none.
Result<const PipelineConfig*> pipeline_called(const AgentConfig& config, const std::string& name);

// The folder of the agent that is asked: of --data-dir, or else of -c, or else the packages' one.
// Nullopt: the configuration is wrong, which stderr has been told; the exit code is kExitUsage.
std::optional<std::string> asked_data_dir(const CommandCall& call);

}  // namespace leat
