#include "protocols/jws/strict_json.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace leat::jws {
namespace {

// As it is, or as an escape.
bool has_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return true;
  for (size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at + 2))
    if (text.substr(at + 1).starts_with("u0000")) return true;
  return false;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool has_key_twice(const cJSON* object) {
  std::set<std::string_view> seen;
  for (const cJSON* member = object->child; member != nullptr; member = member->next)
    if (!seen.insert(member->string).second) return true;
  return false;
}

}  // namespace

JsonTree parse_object(std::string_view text) {
  JsonTree none(nullptr, cJSON_Delete);
  if (text.empty() || has_nul(text) || !is_utf8(text)) return none;
  const char* end = nullptr;
  JsonTree tree(cJSON_ParseWithLengthOpts(text.data(), text.size(), &end, 0), cJSON_Delete);
  if (tree == nullptr || cJSON_IsObject(tree.get()) == 0 || has_key_twice(tree.get())) return none;
  if (!std::all_of(end, text.data() + text.size(), is_blank)) return none;
  return tree;
}

std::optional<std::string_view> string_member(const cJSON* object, const char* name) {
  const char* text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  if (text == nullptr) return std::nullopt;
  return text;
}

}  // namespace leat::jws
