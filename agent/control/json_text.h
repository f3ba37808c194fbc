// JSON that is built and printed, and what is in it. Any thread.
#pragma once

#include <cjson/cJSON.h>

#include <cstdint>
#include <memory>
#include <string>

namespace leat {

using Json = std::unique_ptr<cJSON, void (*)(cJSON*)>;

inline Json json_object() {
  return {cJSON_CreateObject(), cJSON_Delete};
}

// On one line, without its end; "" when memory is short.
inline std::string printed(const cJSON* json) {
  std::unique_ptr<char, void (*)(void*)> text(cJSON_PrintUnformatted(json), cJSON_free);
  return text == nullptr ? "" : text.get();
}

// The text of this member; "" when it has none, or another value.
inline std::string text_of(const cJSON* object, const char* name) {
  const char* text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  return text == nullptr ? "" : text;
}

// Adds a member; a number is exact up to 2^53.
inline void add(cJSON* object, const char* name, uint64_t number) {
  cJSON_AddNumberToObject(object, name, static_cast<double>(number));
}

// None where it is "".
inline void add_text(cJSON* object, const char* name, const std::string& text) {
  if (!text.empty()) cJSON_AddStringToObject(object, name, text.c_str());
}

}  // namespace leat
