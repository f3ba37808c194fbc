// JSON that is built and printed, and what is in it. Any thread.
#pragma once

#include <cjson/cJSON.h>

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

}  // namespace leat
