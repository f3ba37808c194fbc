// The command table in words.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace leat {

// A line or two for each command.
std::string commands_overview();

// A command with all its options, or a group of them ("positions"); "" when there is none of this
// name.
std::string command_help(std::string_view name);

// [{"name", "words": [{"name", "required"}], "help", "options": [{"name", "letter", "value",
// "type", "required", "choices", "default", "help"}]}, …]: for scripts/generate-docs and programs.
std::string commands_json();

}  // namespace leat
