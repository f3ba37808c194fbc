#include "config/substitute.h"

#include <algorithm>

#include "base/text.h"

namespace leat {
namespace {

bool is_variable_name(std::string_view name) {
  auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, good);
}

constexpr int kDeepest = 8;  // variables within defaults

Result<std::string> replace_all(std::string_view text, const Variables& variables,
                                ParameterUse* use, int depth);

// "NAME" or, as in a shell, "NAME:-what stands for it when it is unset or empty".
Result<std::string> from_environment(std::string_view argument, const Variables& variables,
                                     ParameterUse* use, int depth) {
  const size_t dash = argument.find(":-");
  const std::string name(argument.substr(0, dash));
  if (!is_variable_name(name))
    return fail(ErrorKind::kUsage,
                "\"" + excerpt(name) + "\" is not the name of an environment variable");
  std::optional<std::string> value = variables.env(name);
  if (dash != std::string_view::npos && value.value_or("").empty())
    return replace_all(argument.substr(dash + 2), variables, use, depth + 1);
  if (!value) return fail(ErrorKind::kUsage, "environment variable " + name + " is not set");
  if (!is_utf8(*value))
    return fail(ErrorKind::kUsage, "environment variable " + name + " is not UTF-8 text");
  return *std::move(value);
}

// A NUL would end the string early in everything that is written in C.
bool is_text(const std::string& value) {
  return is_utf8(value) && value.find('\0') == std::string::npos;
}

Result<std::string> from_file(const std::string& path, const Variables& variables) {
  Result<std::string> value = variables.file(path);
  if (!value) return fail(ErrorKind::kUsage, value.error().message());
  if (value->ends_with('\n')) value->pop_back();
  if (value->ends_with('\r')) value->pop_back();
  if (!is_text(*value)) return fail(ErrorKind::kUsage, "read " + path + ": not UTF-8 text");
  return value;
}

Result<std::string> from_seal(const std::string& sealed, const Variables& variables) {
  const std::string what = "what \"${sealed:" + excerpt(sealed, 12) + "}\" stands for: ";
  if (variables.sealed == nullptr)
    return fail(ErrorKind::kUsage, what + "sealed secrets are not in this build");
  if (variables.data_dir.empty())
    return fail(ErrorKind::kUsage, what + "the key is in agent.dataDir, which is not given");
  Result<std::string> value = variables.sealed(variables.data_dir, sealed);
  if (!value) return fail(ErrorKind::kUsage, what + value.error().message());
  if (!is_text(*value)) return fail(ErrorKind::kUsage, what + "is not UTF-8 text");
  return value;
}

Result<std::string> from_parameters(std::string_view argument, const Variables& variables,
                                    ParameterUse* use, int depth) {
  if (use == nullptr)
    return fail(ErrorKind::kUsage, "\"${param:…}\" has a value only within a pipeline");
  const size_t dash = argument.find(":-");
  const std::string name(argument.substr(0, dash));
  if (!is_variable_name(name))
    return fail(ErrorKind::kUsage, "\"" + excerpt(name) + "\" is not the name of a parameter");
  const bool has_default = dash != std::string_view::npos;
  auto given = variables.parameters.find(name);
  const bool known = given != variables.parameters.end();
  (has_default || known ? use->with_default : use->open).push_back(name);
  if (known) return given->second;
  return has_default ? replace_all(argument.substr(dash + 2), variables, use, depth + 1)
                     : std::string();
}

// `inside` is what stands between "${" and "}".
Result<std::string> value_of(std::string_view inside, const Variables& variables, ParameterUse* use,
                             int depth) {
  size_t colon = inside.find(':');
  std::string_view scheme = inside.substr(0, colon);
  std::string argument(colon == std::string_view::npos ? "" : inside.substr(colon + 1));
  if (colon != std::string_view::npos && scheme == "env")
    return from_environment(argument, variables, use, depth);
  if (colon != std::string_view::npos && scheme == "file") return from_file(argument, variables);
  if (colon != std::string_view::npos && scheme == "sealed") return from_seal(argument, variables);
  if (colon != std::string_view::npos && scheme == "param")
    return from_parameters(argument, variables, use, depth);
  return fail(ErrorKind::kUsage,
              "\"${" + excerpt(inside) +
                  "}\" is unknown: write \"${env:NAME}\" or \"${file:/path}\", or \"$${\" for a "
                  "literal \"${\"");
}

// Where the "}" is that belongs to the "${" at `start`, or npos: there may be others in between.
size_t end_of_variable(std::string_view text, size_t start) {
  int open = 0;
  for (size_t at = start; at < text.size(); ++at) {
    if (text.compare(at, 3, "$${") == 0) {
      at += 2;
    } else if (text.compare(at, 2, "${") == 0) {
      ++open;
      ++at;
    } else if (text[at] == '}' && --open == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

Result<std::string> replace_all(std::string_view text, const Variables& variables,
                                ParameterUse* use, int depth) {
  if (depth > kDeepest)
    return fail(ErrorKind::kUsage, "more than " + std::to_string(kDeepest) +
                                       " defaults within each other: \"" + excerpt(text) + "\"");
  std::string out;
  while (true) {
    size_t start = text.find("${");
    out += text.substr(0, start);
    if (start == std::string_view::npos) return out;
    if (start > 0 && text[start - 1] == '$') {  // "$${": one of the two is in `out` already
      out += '{';
      text.remove_prefix(start + 2);
      continue;
    }
    size_t end = end_of_variable(text, start);
    if (end == std::string_view::npos)
      return fail(ErrorKind::kUsage,
                  "\"${\" without \"}\" (write \"$${\" where a literal \"${\" is meant)");
    Result<std::string> value =
        value_of(text.substr(start + 2, end - start - 2), variables, use, depth);
    if (!value) return value;
    out += *value;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<std::string> substitute(std::string_view text, const Variables& variables,
                               ParameterUse* use) {
  Result<std::string> out = replace_all(text, variables, use, 0);
  return out && use != nullptr && !use->open.empty() ? std::string(text) : out;
}

}  // namespace leat
