// Answers of the agent, which are JSON.
#pragma once

#include <cstdint>
#include <string>

#include "control/json_text.h"

namespace leat {

inline const cJSON* at(const cJSON* node, const char* name) {
  return cJSON_GetObjectItemCaseSensitive(node, name);
}
inline std::string text(const cJSON* node, const char* name) {
  const char* value = cJSON_GetStringValue(at(node, name));
  return value == nullptr ? "" : value;
}
inline int64_t number(const cJSON* node, const char* name) {
  const cJSON* value = at(node, name);
  return cJSON_IsNumber(value) ? static_cast<int64_t>(value->valuedouble) : 0;
}

}  // namespace leat
