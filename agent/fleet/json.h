// What comes over the broker may be anything: members are read by these, which never fail.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace leat::fleet {

using nlohmann::json;

// A null for what is no JSON.
inline json parsed(const std::string& text) {
  json out = json::parse(text, nullptr, false);
  return out.is_discarded() ? json() : out;
}

// On one line. What is not UTF-8 is replaced.
inline std::string printed(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

inline const json& member(const json& object, const char* name) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

inline std::string text_of(const json& object, const char* name) {
  const json& value = member(object, name);
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : printed(value);
}

inline size_t number_of(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_number_unsigned() ? value.get<size_t>() : 0;
}

inline bool is_true(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_boolean() && value.get<bool>();
}

}  // namespace leat::fleet
