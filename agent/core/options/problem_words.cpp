#include "options/problem_words.h"

#include "base/text.h"

namespace leat {
namespace {

using Kind = Problem::Kind;

std::string did_you_mean(const Problem& problem) {
  return problem.suggestion.empty() ? "" : ", did you mean \"" + problem.suggestion + "\"?";
}

std::string with(const char* joint, const std::string& text) {
  return text.empty() ? "" : joint + text;
}

bool is_stage(std::string_view key) {
  return key == "source" || key == "sink" || key == "transforms" || key == "agent" ||
         key == "pipelines";
}

}  // namespace

std::string message_of(const Problem& problem) {
  if (!problem.text.empty() && problem.wanted.empty()) return problem.text + did_you_mean(problem);
  switch (problem.kind) {
    case Kind::kUnknownKey:
      return "unknown key" + (problem.suggestion.empty() ? "; known here: " + problem.wanted
                                                         : did_you_mean(problem));
    case Kind::kDuplicateKey:
      return "this key stands here twice";
    case Kind::kMissing:
      return "missing, and required" + with(" ", problem.text) + with(": ", problem.wanted);
    case Kind::kEmpty:
      return "must not be empty" + with(": ", problem.wanted);
    case Kind::kType:
    case Kind::kRange:
    case Kind::kChoice:
      return "must be " + problem.wanted + with(", found ", problem.found) + did_you_mean(problem);
    case Kind::kUnknownType:
      return problem.text + with(": ", problem.found) + did_you_mean(problem) +
             " (known: " + problem.wanted + ")";
    case Kind::kClearSecret:
      return "a secret in clear text: write \"${env:NAME}\" or \"${file:/path}\" in its place";
    case Kind::kTilde:
      return "\"~\" is not replaced by a home folder, as a shell would: write the whole path";
    case Kind::kAsRoot:
      return "runs as root: a user of its own is enough for it";  // logged: warn
    case Kind::kSyntax:
    case Kind::kVariable:
    case Kind::kUnused:
    case Kind::kTwice:
    case Kind::kInvalid:
      break;
  }
  return problem.text;
}

std::string line_of(const Problem& problem) {
  return (problem.warning ? "warning: " : "") +
         (problem.path.empty() ? message_of(problem) : problem.path + ": " + message_of(problem));
}

std::string place_of(const Problem& problem) {
  if (problem.file.empty() || problem.line == 0) return problem.file;
  return problem.file + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
}

std::string placed_line_of(const Problem& problem) {
  const std::string place = place_of(problem);
  return line_of(problem) + (place.empty() ? "" : " (" + place + ")");
}

std::vector<std::string> lines_of(const Problems& problems) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems.all()) lines.push_back(placed_line_of(problem));
  return lines;
}

std::string summary_of(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems.all())
    if (!problem.warning && out.empty()) out = placed_line_of(problem);
  const size_t errors = problems.errors();
  return errors < 2 ? out : out + " (the first of " + std::to_string(errors) + " errors)";
}

std::string option_of(std::string_view path) {
  std::string option;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    std::string_view key = path.substr(0, dot);
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    key = key.substr(0, key.find('['));
    if (is_stage(key) && option.empty()) continue;
    option += (option.empty() ? "" : ".") + std::string(key);
  }
  return option;
}

std::string_view kind_name(Problem::Kind kind) {
  switch (kind) {
    case Kind::kSyntax:
      return "syntax";
    case Kind::kUnknownKey:
      return "unknownKey";
    case Kind::kDuplicateKey:
      return "duplicateKey";
    case Kind::kMissing:
      return "missing";
    case Kind::kEmpty:
      return "empty";
    case Kind::kType:
      return "type";
    case Kind::kRange:
      return "range";
    case Kind::kChoice:
      return "choice";
    case Kind::kUnknownType:
      return "unknownType";
    case Kind::kVariable:
      return "variable";
    case Kind::kUnused:
      return "unused";
    case Kind::kTwice:
      return "twice";
    case Kind::kClearSecret:
      return "clearSecret";
    case Kind::kTilde:
      return "tilde";
    case Kind::kAsRoot:
      return "asRoot";
    case Kind::kInvalid:
      break;
  }
  return "invalid";
}

std::string json_of(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems.all()) {
    out += (out.empty() ? "{\"path\":" : ",{\"path\":") + json_quoted(problem.path);
    auto add = [&out](const char* key, std::string_view text) {
      if (!text.empty()) out += ",\"" + std::string(key) + "\":" + json_quoted(text);
    };
    add("file", problem.file);
    if (problem.line != 0)
      out += ",\"line\":" + std::to_string(problem.line) +
             ",\"column\":" + std::to_string(problem.column);
    add("severity", problem.warning ? "warning" : "error");
    add("kind", kind_name(problem.kind));
    add("option", option_of(problem.path));
    add("wanted", problem.wanted);
    add("found", problem.found);
    add("suggestion", problem.suggestion);
    add("message", message_of(problem));
    out += '}';
  }
  return "[" + out + "]";
}

}  // namespace leat
