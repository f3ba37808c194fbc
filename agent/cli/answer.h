// Answers of the agent, which are JSON.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "base/units.h"

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

// "12s": whole seconds, since the rest is noise; but of less than one, "400ms", which is not 0.
inline std::string short_time(double seconds) {
  const Milliseconds ms(std::llround(seconds * 1000));
  return format_duration(ms.count() < 1000 ? ms : Milliseconds(ms.count() / 1000 * 1000));
}
// Of "parallel", where there is one.
inline std::string parallel_words(const cJSON* parallel) {
  return "up to " + format_count(static_cast<uint64_t>(number(parallel, "most")), "further loop") +
         ", threshold breached " +
         format_count(static_cast<uint64_t>(number(parallel, "breaches")), "time");
}
// "12 days", "4 years"
inline std::string long_time(int64_t seconds) {
  const auto days = static_cast<uint64_t>(seconds / 86'400);
  return days < uint64_t{3} * 365 ? format_count(days, "day") : format_count(days / 365, "year");
}

}  // namespace leat
