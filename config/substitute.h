// "${env:NAME}", "${env:NAME:-default}" and "${file:/path}" in the strings of a configuration, so
// that secrets need not stand in it. "$${" is a literal "${".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

// Where the values come from: the process environment and the disk in main, maps in tests.
struct Variables {
  std::function<std::optional<std::string>(const std::string& name)> env;
  std::function<Result<std::string>(const std::string& path)> file;
};

// `text` with every variable replaced; a newline at the end of a file is trimmed. Fails with kUsage
// when a variable is unknown, unset or unreadable; the message never holds a value.
Result<std::string> substitute(std::string_view text, const Variables& variables);

inline bool has_variables(std::string_view text) {
  return text.find("${") != std::string_view::npos;
}

}  // namespace leat
