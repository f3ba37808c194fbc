// The one place where problems of a configuration are put into words, and into JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"

namespace leat {

// What is wrong, without the path: `unknown key, did you mean "url"?`.
std::string message_of(const Problem& problem);
// With it, as a line: `pipelines[0].sink.ulr: unknown key, did you mean "url"?`.
std::string line_of(const Problem& problem);
// With the name of the file, each ends with the place: " (leat.json:12:9)".
std::vector<std::string> lines_of(const Problems& problems, const std::string& file = "");

// "unknownKey"; the same for each version of leat.
std::string_view kind_name(Problem::Kind kind);
// [{"path": …, "line": …, "column": …, "kind": …, "wanted": …, "found": …, "suggestion": …,
// "message": …}, …]; of line, column, wanted, found and suggestion those that there are.
std::string json_of(const Problems& problems);

}  // namespace leat
