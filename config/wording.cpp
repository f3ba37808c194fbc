#include "config/wording.h"

namespace leat {
namespace {

// `{"name": "text", "type": "text"}` from the required fields, or else from the first one.
std::string example_object(const Option& option) {
  std::string out;
  for (const Option& field : option.fields)
    if (field.required)
      out +=
          (out.empty() ? "" : ", ") + ("\"" + std::string(field.name) + "\": ") + example_of(field);
  if (out.empty() && !option.fields.empty())
    out = "\"" + std::string(option.fields[0].name) + "\": " + example_of(option.fields[0]);
  return "{" + out + "}";
}

int64_t clamp_to_range(const Option& option, int64_t value) {
  if (value < option.min) return option.min;
  return value > option.max ? option.max : value;
}

}  // namespace

std::string example_of(const Option& option) {
  std::string_view fallback = option.fallback;
  std::string quoted = "\"" + std::string(fallback) + "\"";
  if (option.example != nullptr) return option.example;
  switch (option.type) {
    case OptionType::kString:
      if (!fallback.empty()) return quoted;
      return option.choices.empty() ? "\"text\"" : "\"" + std::string(option.choices[0]) + "\"";
    case OptionType::kInteger:
      return fallback.empty() ? std::to_string(clamp_to_range(option, 1)) : std::string(fallback);
    case OptionType::kBool:
      return fallback.empty() ? "true" : std::string(fallback);
    case OptionType::kBytes:
      return fallback.empty() ? limit_text(option, clamp_to_range(option, 8 << 20)) : quoted;
    case OptionType::kDuration:
      return fallback.empty() ? limit_text(option, clamp_to_range(option, 30'000)) : quoted;
    case OptionType::kStrings:
      return fallback.empty() ? "[\"a\", \"b\"]" : "[" + quoted + "]";
    case OptionType::kMap:
      return "{\"name\": \"value\"}";
    case OptionType::kObject:
      return example_object(option);
    case OptionType::kObjects:
      return "[" + example_object(option) + "]";
  }
  return "";
}

std::string wanted(const Option& option) {
  std::string example = example_of(option);
  switch (option.type) {
    case OptionType::kString:
      if (!option.choices.empty()) return "one of " + quoted_list(option.choices);
      return option.fallback.empty() && option.example == nullptr ? "a string"
                                                                  : "a string such as " + example;
    case OptionType::kInteger:
      return "a whole number such as " + example;
    case OptionType::kBool:
      return "true or false";
    case OptionType::kBytes:
      return "a size such as " + example;
    case OptionType::kDuration:
      return "a duration such as " + example;
    case OptionType::kStrings:
      return "a list of strings such as " + example;
    case OptionType::kMap:
      return "an object with string values such as " + example;
    case OptionType::kObject:
      return "an object such as " + example;
    case OptionType::kObjects:
      return "a list of objects such as " + example;
  }
  return "";
}

std::string limit_text(const Option& option, int64_t value) {
  if (option.type == OptionType::kBytes) return "\"" + exact_bytes(value) + "\"";
  if (option.type == OptionType::kDuration)
    return "\"" + exact_duration(Milliseconds(value)) + "\"";
  return std::to_string(value);
}

std::string range_text(const Option& option) {
  if (option.max == INT64_MAX) return "at least " + limit_text(option, option.min);
  return "between " + limit_text(option, option.min) + " and " + limit_text(option, option.max);
}

std::string joined(std::span<const std::string> words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string quoted_list(std::span<const std::string_view> words) {
  std::string out;
  for (std::string_view word : words)
    out += (out.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  return out;
}

std::string exact_bytes(int64_t bytes) {
  static constexpr struct {
    int64_t factor;
    const char* name;
  } kUnits[] = {{1LL << 30, "GiB"}, {1LL << 20, "MiB"}, {1LL << 10, "KiB"}};
  for (const auto& unit : kUnits)
    if (bytes != 0 && bytes % unit.factor == 0)
      return std::to_string(bytes / unit.factor) + unit.name;
  return std::to_string(bytes);
}

std::string exact_duration(Milliseconds duration) {
  int64_t ms = duration.count();
  static constexpr struct {
    int64_t factor;
    const char* name;
  } kUnits[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}};
  for (const auto& unit : kUnits)
    if (ms != 0 && ms % unit.factor == 0) return std::to_string(ms / unit.factor) + unit.name;
  return std::to_string(ms) + "ms";
}

}  // namespace leat
