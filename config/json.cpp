#include "config/json.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/places.h"

namespace leat {
namespace {

tl::unexpected<Error> fail_at(std::string_view text, size_t offset, std::string what) {
  Place place = place_at(text, offset);
  return fail_option({.kind = Problem::Kind::kSyntax,
                      .text = std::move(what),
                      .line = place.line,
                      .column = place.column});
}

tl::unexpected<Error> fail_whole(std::string what) {
  return fail_option({.kind = Problem::Kind::kSyntax, .text = std::move(what)});
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The offset behind the string that starts at `at`, or a failure for what RFC 8259 section 7 does
// not allow in it but cJSON accepts.
Result<size_t> skip_string(std::string_view text, size_t at) {
  size_t start = at++;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\n') return fail_at(text, start, "string without a closing '\"'");
    if (static_cast<unsigned char>(text[at]) < 0x20)
      return fail_at(text, at, "control character in a string: write it as an escape such as \\t");
    if (text[at] != '\\') continue;
    if (text.substr(at + 1, 5) == "u0000")
      return fail_at(text, at, "\\u0000 cannot be used in a configuration");
    ++at;
  }
  if (at >= text.size()) return fail_at(text, start, "string without a closing '\"'");
  return at + 1;
}

// The offset behind the comment that begins at `at`.
Result<size_t> skip_comment(std::string_view text, size_t at) {
  if (text.substr(at, 2) == "//") return std::min(text.find('\n', at), text.size());
  if (text.substr(at, 2) != "/*")
    return fail_at(text, at, "a comment begins with // or stands between /* and */");
  size_t end = text.find("*/", at + 2);
  if (end == std::string_view::npos) return fail_at(text, at, "comment without a closing \"*/\"");
  return end + 2;
}

// Without comments, which are not in RFC 8259 but in the files that people live with: each becomes
// spaces, so that all else stays where it was.
//
// Where a comma stands with nothing to separate, or a number is not one of RFC 8259 section 6,
// cJSON says so too, or converts it anyway: those are left to it and to the options' own checks.
Result<std::string> plain_json(std::string_view text) {
  if (size_t nul = text.find('\0'); nul != std::string_view::npos)
    return fail_at(text, nul, "NUL byte");
  if (!is_utf8(text)) return fail_whole("the file is not UTF-8 text");
  int depth = 0;
  std::string plain(text);
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    if (c == '"') {
      Result<size_t> end = skip_string(text, at);
      if (!end) return fail(end.error());
      at = *end;
      continue;
    }
    if (c == '/' || c == '#') {
      Result<size_t> end = skip_comment(text, at);
      if (!end) return fail(end.error());
      for (; at < *end; ++at)
        if (!is_space(text[at])) plain[at] = ' ';
      continue;
    }
    if (c == '\'') return fail_at(text, at, "text stands in double quotes in JSON");
    if ((c == '{' || c == '[') && ++depth > Document::kMaxDepth)
      return fail_at(text, at, "nested deeper than " + std::to_string(Document::kMaxDepth));
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return plain;
}

// cJSON stops one character too late where it misses the '"' of a key.
size_t step_back(std::string_view text, size_t at) {
  constexpr std::string_view kMarks = "{[,:\"";
  if (at == 0 || is_space(text[at - 1]) || kMarks.find(text[at - 1]) != std::string_view::npos)
    return at;
  size_t before = text.find_last_not_of(" \t\r\n", at - 2);
  bool key_expected =
      at >= 2 && before != std::string_view::npos && (text[before] == '{' || text[before] == ',');
  return key_expected ? at - 1 : at;
}

// cJSON only says where it stopped; the characters around say why.
std::string reason(std::string_view text, size_t& at) {
  at = step_back(text, at);
  while (at + 1 < text.size() && is_space(text[at])) ++at;
  size_t before = at;
  while (before > 0 && is_space(text[before - 1])) --before;
  char previous = before > 0 ? text[before - 1] : '\0';
  char c = text[at];
  if (c == '}' || c == ']') {
    if (previous == ',') return std::string("',' before '") + c + "': remove it";
    return std::string("'") + c + "' where a value is expected";
  }
  size_t end = text.find_last_not_of(" \t\r\n") + 1;
  if (at + 1 >= end) {  // cJSON stops at the last character when it misses more
    at = end;
    return "the file ends too early: a '}', ']' or value is missing";
  }
  if (c == ',' && at + 1 < text.size()) {
    size_t after = at + 1;
    while (after < text.size() && is_space(text[after])) ++after;
    if (after < text.size() && (text[after] == '}' || text[after] == ']'))
      return std::string("',' before '") + text[after] + "': remove it";
  }
  if (c == '"') return "a ',' or ':' is missing before this";
  size_t word_end = std::min(text.find_first_of(" \r\n,:", at + 1), text.size());
  return "\"" + excerpt(text.substr(at, word_end - at), 20) + "\" is not expected here";
}

void find_duplicates(const cJSON* node, const std::string& path, Problems& problems) {
  std::unordered_set<std::string_view> seen;
  size_t index = 0;
  for (const cJSON* child = node->child; child != nullptr; child = child->next, ++index) {
    bool keyed = cJSON_IsObject(node);
    std::string child_path = keyed ? path_of_key(path, child->string) : path_of_index(path, index);
    if (keyed && !seen.insert(child->string).second)
      problems.add({.kind = Problem::Kind::kDuplicateKey, .path = child_path});
    find_duplicates(child, child_path, problems);
  }
}

}  // namespace

Result<Document> Document::parse(std::string_view file) {
  Result<std::string> plain = plain_json(file);
  if (!plain) return fail(plain.error());
  const std::string_view text = *plain;
  const char* end = text.data();
  Document document(
      cJSON_ParseWithLengthOpts(text.data(), text.size(), &end, /*require_null_terminated=*/0));
  size_t at = static_cast<size_t>(end - text.data());
  if (!document.root_) {
    if (std::ranges::all_of(text, is_space)) return fail_whole("the file is empty");
    std::string why = reason(text, at);
    return fail_at(file, at, why);
  }
  while (at < text.size() && is_space(text[at])) ++at;
  if (at < text.size()) return fail_at(file, at, "text behind the end of the configuration");
  if (!cJSON_IsObject(document.root()))
    return fail_at(file, 0, "the configuration must be an object: { \"pipelines\": [...] }");
  document.file_ = file;
  return document;
}

void Document::check_duplicates(Problems& problems) const {
  find_duplicates(root(), "", problems);
}

void Document::set_places(Problems& problems) const {
  leat::set_places(file_, problems);
}

void Document::substitute(const Variables& variables, Problems& problems) {
  substitute(root_.get(), "", variables, problems);
}

void Document::substitute(cJSON* node, const std::string& path, const Variables& variables,
                          Problems& problems) {
  if (cJSON_IsString(node) && has_variables(node->valuestring)) {
    ParameterUse use;
    const bool may_use = path.starts_with("pipelines[");
    Result<std::string> value =
        leat::substitute(node->valuestring, variables, may_use ? &use : nullptr);
    if (!value) {
      problems.add(
          {.kind = Problem::Kind::kVariable, .path = path, .text = value.error().message()});
      broken_.insert(node);
      return;
    }
    const bool open = !use.open.empty();
    if (open || !use.with_default.empty()) parameters_[node] = std::move(use);
    if (open) {
      broken_.insert(node);
      return;
    }
    if (has_sealed(node->valuestring)) {
      Variables other = variables;
      other.sealed = [](const std::string&, const std::string&) -> Result<std::string> {
        return std::string("another secret");
      };
      ParameterUse same;
      Result<std::string> text =
          leat::substitute(node->valuestring, other, may_use ? &same : nullptr);
      if (text && *text != *value) other_seals_.emplace(node, std::move(*text));
    }
    originals_.emplace(node, node->valuestring);
    cJSON_SetValuestring(node, value->c_str());
  }
  size_t index = 0;
  for (cJSON* child = node->child; child != nullptr; child = child->next, ++index)
    substitute(child,
               cJSON_IsObject(node) ? path_of_key(path, child->string) : path_of_index(path, index),
               variables, problems);
}

ParameterUse Document::parameters_of(const cJSON* node) const {
  ParameterUse out;
  auto add = [](std::vector<std::string>& to, const std::vector<std::string>& more) {
    for (const std::string& name : more)
      if (std::ranges::find(to, name) == to.end()) to.push_back(name);
  };
  auto include = [&](const ParameterUse& use) {
    add(out.with_default, use.with_default);
    add(out.open, use.open);
  };
  if (auto found = parameters_.find(node); found != parameters_.end()) include(found->second);
  for (const cJSON* child = node->child; child != nullptr; child = child->next)
    include(parameters_of(child));
  return out;
}

const std::string* Document::with_another_seal(const cJSON* node) const {
  auto found = other_seals_.find(node);
  return found == other_seals_.end() ? nullptr : &found->second;
}

const std::string* Document::before_substitution(const cJSON* node) const {
  auto found = originals_.find(node);
  return found == originals_.end() ? nullptr : &found->second;
}

std::string print_json(const cJSON* node) {
  std::unique_ptr<char, void (*)(void*)> text(cJSON_PrintUnformatted(node), cJSON_free);
  return text ? text.get() : "";
}

}  // namespace leat
