// "${env:NAME}", "${env:NAME:-default}", "${file:/path}" and "${sealed:…}" in the strings of a
// configuration, so that secrets need not stand in it, and in a pipeline "${param:NAME}" and
// "${param:NAME:-default}", which each run of it that is asked for has its own value for. In a
// default there may be others, which are looked at when it is needed, as in a shell. "$${" is a
// literal "${".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat {

// Where the values come from: the process environment and the disk in main, maps in tests.
struct Variables {
  std::function<std::optional<std::string>(const std::string& name)> env;
  std::function<Result<std::string>(const std::string& path)> file;
  // Opens a sealed secret, with the key of the agent that has this data folder. Null: it is not in
  // this build.
  std::function<Result<std::string>(const std::string& data_dir, const std::string& sealed)>
      sealed = nullptr;
  std::string data_dir = {};  // for that; who loads a configuration fills it in
  // Of one run of a pipeline: what its ${param:…} stand for.
  std::map<std::string, std::string> parameters = {};
};

// What ${param:…} a text has.
struct ParameterUse {
  std::vector<std::string> with_default = {};  // or with a value
  std::vector<std::string> open = {};          // nobody says what they stand for
};

// `text` with every variable replaced; a newline at the end of a file is trimmed. Fails with kUsage
// when a variable is unknown, unset or unreadable; the message never holds a value.
// Where a parameter is open the text comes back as it is. `use`: null where there are none.
Result<std::string> substitute(std::string_view text, const Variables& variables,
                               ParameterUse* use = nullptr);

inline bool has_sealed(std::string_view text) {
  return text.find("${sealed:") != std::string_view::npos;
}

inline bool has_variables(std::string_view text) {
  return text.find("${") != std::string_view::npos;
}

}  // namespace leat
