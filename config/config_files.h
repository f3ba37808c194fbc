// The files that a configuration is read from: one, standard input, or those of a folder.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/json.h"
#include "options/problems.h"

namespace leat {

// The text of a file, "-" for standard input. Fails for more than 16 MiB: that is no configuration.
Result<std::string> read_text(const std::string& path);

// The files of `path`, as they are named in problems: of a folder all *.json in it, in the order of
// their names, without those that begin with a dot. What cannot be read is added to `problems`, as
// is a folder with none.
std::vector<ConfigFile> read_config_files(const std::string& path, Problems& problems);

}  // namespace leat
