#include "config/problem_words.h"

#include <cjson/cJSON.h>

#include <memory>

namespace leat {
namespace {

using Kind = Problem::Kind;

std::string did_you_mean(const Problem& problem) {
  return problem.suggestion.empty() ? "" : ", did you mean \"" + problem.suggestion + "\"?";
}

std::string with(const char* joint, const std::string& text) {
  return text.empty() ? "" : joint + text;
}

}  // namespace

std::string message_of(const Problem& problem) {
  switch (problem.kind) {
    case Kind::kUnknownKey:
      return "unknown key" + (problem.suggestion.empty() ? "; known here: " + problem.wanted
                                                         : did_you_mean(problem));
    case Kind::kDuplicateKey:
      return "this key stands here twice";
    case Kind::kMissing:
      return "missing, and required" + with(" ", problem.text) + ": " + problem.wanted;
    case Kind::kEmpty:
      return "must not be empty" + with(": ", problem.wanted);
    case Kind::kType:
    case Kind::kRange:
    case Kind::kChoice:
      return "must be " + problem.wanted + ", found " + problem.found + did_you_mean(problem);
    case Kind::kUnknownType:
      return problem.text + with(": ", problem.found) + did_you_mean(problem) +
             " (known: " + problem.wanted + ")";
    case Kind::kSyntax:
    case Kind::kVariable:
    case Kind::kUnused:
    case Kind::kInvalid:
      return problem.text;
  }
  return problem.text;
}

std::string line_of(const Problem& problem) {
  return problem.path.empty() ? message_of(problem) : problem.path + ": " + message_of(problem);
}

std::vector<std::string> lines_of(const Problems& problems, const std::string& file) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems.all()) {
    lines.push_back(line_of(problem));
    if (problem.line != 0 && !file.empty())
      lines.back() += " (" + file + ":" + std::to_string(problem.line) + ":" +
                      std::to_string(problem.column) + ")";
  }
  return lines;
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
    case Kind::kInvalid:
      break;
  }
  return "invalid";
}

std::string json_of(const Problems& problems) {
  std::unique_ptr<cJSON, void (*)(cJSON*)> list(cJSON_CreateArray(), cJSON_Delete);
  for (const Problem& problem : problems.all()) {
    cJSON* object = cJSON_CreateObject();
    cJSON_AddItemToArray(list.get(), object);
    auto add = [object](const char* key, const std::string& text) {
      if (!text.empty()) cJSON_AddStringToObject(object, key, text.c_str());
    };
    cJSON_AddStringToObject(object, "path", problem.path.c_str());
    if (problem.line != 0) {
      cJSON_AddNumberToObject(object, "line", problem.line);
      cJSON_AddNumberToObject(object, "column", problem.column);
    }
    add("kind", std::string(kind_name(problem.kind)));
    add("wanted", problem.wanted);
    add("found", problem.found);
    add("suggestion", problem.suggestion);
    add("message", message_of(problem));
  }
  std::unique_ptr<char, void (*)(void*)> text(cJSON_PrintUnformatted(list.get()), cJSON_free);
  return text ? text.get() : "[]";
}

}  // namespace leat
