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

// "NAME" or, as in a shell, "NAME:-what stands for it when it is unset or empty".
Result<std::string> from_environment(std::string_view argument, const Variables& variables) {
  const size_t dash = argument.find(":-");
  const std::string name(argument.substr(0, dash));
  if (!is_variable_name(name))
    return fail(ErrorKind::kUsage,
                "\"" + excerpt(name) + "\" is not the name of an environment variable");
  std::optional<std::string> value = variables.env(name);
  if (dash != std::string_view::npos && value.value_or("").empty())
    return std::string(argument.substr(dash + 2));
  if (!value) return fail(ErrorKind::kUsage, "environment variable " + name + " is not set");
  if (!is_utf8(*value))
    return fail(ErrorKind::kUsage, "environment variable " + name + " is not UTF-8 text");
  return *std::move(value);
}

Result<std::string> from_file(const std::string& path, const Variables& variables) {
  Result<std::string> value = variables.file(path);
  if (!value) return fail(ErrorKind::kUsage, value.error().message());
  if (value->ends_with('\n')) value->pop_back();
  if (value->ends_with('\r')) value->pop_back();
  // A NUL would end the string early in everything that is written in C.
  if (!is_utf8(*value) || value->find('\0') != std::string::npos)
    return fail(ErrorKind::kUsage, "read " + path + ": not UTF-8 text");
  return value;
}

Result<std::string> from_parameters(std::string_view argument, const Variables& variables,
                                    ParameterUse* use) {
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
  return std::string(has_default ? argument.substr(dash + 2) : "");
}

// `inside` is what stands between "${" and "}".
Result<std::string> value_of(std::string_view inside, const Variables& variables,
                             ParameterUse* use) {
  size_t colon = inside.find(':');
  std::string_view scheme = inside.substr(0, colon);
  std::string argument(colon == std::string_view::npos ? "" : inside.substr(colon + 1));
  if (colon != std::string_view::npos && scheme == "env")
    return from_environment(argument, variables);
  if (colon != std::string_view::npos && scheme == "file") return from_file(argument, variables);
  if (colon != std::string_view::npos && scheme == "param")
    return from_parameters(argument, variables, use);
  return fail(ErrorKind::kUsage,
              "\"${" + excerpt(inside) +
                  "}\" is unknown: write \"${env:NAME}\" or \"${file:/path}\", or \"$${\" for a "
                  "literal \"${\"");
}

}  // namespace

Result<std::string> substitute(std::string_view text, const Variables& variables,
                               ParameterUse* use) {
  const std::string_view whole = text;
  std::string out;
  while (true) {
    size_t start = text.find("${");
    out += text.substr(0, start);
    if (start == std::string_view::npos)
      return use != nullptr && !use->open.empty() ? std::string(whole) : out;
    if (start > 0 && text[start - 1] == '$') {  // "$${": one of the two is in `out` already
      out += '{';
      text.remove_prefix(start + 2);
      continue;
    }
    size_t end = text.find('}', start);
    if (end == std::string_view::npos)
      return fail(ErrorKind::kUsage,
                  "\"${\" without \"}\" (write \"$${\" where a literal \"${\" is meant)");
    Result<std::string> value = value_of(text.substr(start + 2, end - start - 2), variables, use);
    if (!value) return value;
    out += *value;
    text.remove_prefix(end + 1);
  }
}

}  // namespace leat
