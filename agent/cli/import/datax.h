// Job files of DataX and go-etl, as a configuration of leat: README.md says what becomes of what.
//
// Thread: any one at a time.
#pragma once

#include <optional>
#include <string>

#include "options/problems.h"

namespace leat {

// The configuration as JSON text. Nullopt where it would not do the same: `problems` has an error
// for each reason. Its warnings are what has no counterpart and changes nothing of what arrives.
// Each has its path, and its place in `text`, the text of `file`.
std::optional<std::string> import_datax(const std::string& text, const std::string& file,
                                        const std::string& data_dir, Problems& problems);

}  // namespace leat
