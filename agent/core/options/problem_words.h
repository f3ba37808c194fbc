// The one place where problems of a configuration are put into words, and into JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/problems.h"

namespace leat {

// What is wrong, without the path: `unknown key, did you mean "url"?`.
std::string message_of(const Problem& problem);
// With it, as a line: `pipelines[0].sink.ulr: unknown key, did you mean "url"?`. One of a warning
// begins with "warning: ".
std::string line_of(const Problem& problem);
// "leat.json:12:9", or what is known of it.
std::string place_of(const Problem& problem);
// The line, which ends with the place: " (leat.json:12:9)".
std::string placed_line_of(const Problem& problem);
// One for each.
std::vector<std::string> lines_of(const Problems& problems);
// Where there is room for one: the first error, and how many there are. There must be one.
std::string summary_of(const Problems& problems);

// The option within its stage, as help names it: "tls.ca" of "pipelines[0].sink.tls.ca".
std::string option_of(std::string_view path);
// "unknownKey"; the same for each version of leat.
std::string_view kind_name(Problem::Kind kind);
// [{"path": …, "file": …, "line": …, "column": …, "severity": "error" or "warning", "kind": …,
// "option": …, "wanted": …, "found": …, "suggestion": …, "message": …}, …]; of all but path,
// severity, kind and message those that there are.
std::string json_of(const Problems& problems);

}  // namespace leat
