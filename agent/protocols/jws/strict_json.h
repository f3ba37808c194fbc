// JSON from people who may mean harm, read with cJSON and checked for what cJSON lets pass or
// loses. Any thread.
#pragma once

#include <cjson/cJSON.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace leat::jws {

using JsonTree = std::unique_ptr<cJSON, void (*)(cJSON*)>;

// An object; null for everything else: what is not UTF-8, has something behind its end, a NUL in it
// (as which C strings end), or a key twice on its first level (of which readers take one or the
// other).
JsonTree parse_object(std::string_view text);

// The member, when it is a string. A key is meant as it is written, in upper or lower case.
std::optional<std::string_view> string_member(const cJSON* object, const char* name);

}  // namespace leat::jws
