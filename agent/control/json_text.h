// JSON that is built and printed. Any thread.
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

}  // namespace leat
