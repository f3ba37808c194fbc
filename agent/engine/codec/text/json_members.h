// Walks JSON that is known to be valid (Type::kJson), without recursion. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "codec/text/json_scanner.h"

namespace leat {

// Calls f(name, value) for each member of an object, f("", value) for each element of an array,
// until it answers false.
template <typename F>
bool each_json_member(std::string_view json, F&& f) {
  JsonScanner scanner(true);
  scanner.set_end(json.data() + json.size());
  const bool object = json[0] == '{';
  const char* p = scanner.skip_space(json.data() + 1);
  std::string name;
  while (p != nullptr && p < scanner.end() && *p != '}' && *p != ']') {
    Value key;
    if (object) p = scanner.member_name(p, key);
    if (p == nullptr) return true;
    Value value;
    p = scanner.value(p, value);
    if (p == nullptr) return true;
    name.clear();
    if (object) append_text(name, key);
    if (!f(std::string_view(name), value)) return false;
    p = scanner.skip_space(p);
    if (p < scanner.end() && *p == ',') p = scanner.skip_space(p + 1);
  }
  return true;
}

}  // namespace leat
