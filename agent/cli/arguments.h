// The command line as a command, its options and its words.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace leat {

// `words` without the program's name; the call keeps a reference to `environment`. `--help` and
// `--version` stand for the commands, and `leat COMMAND --help` for `leat help COMMAND`. Fails with
// kUsage; the message says what to write instead.
Result<CommandCall> parse_arguments(std::span<const std::string> words,
                                    const CliEnvironment& environment);

}  // namespace leat
