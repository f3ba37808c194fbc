#include "base/units.h"

#include <charconv>
#include <cstdio>

namespace leat {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// "12" and the rest behind the digits; false when there are no digits or too many.
bool split_number(std::string_view text, int64_t& number, std::string_view& rest) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() || number < 0) return false;
  rest = text.substr(static_cast<size_t>(end - text.data()));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  return true;
}

template <size_t N>
bool scale(std::string_view unit, const Unit (&units)[N], int64_t& number) {
  for (const Unit& u : units)
    if (u.name == unit) return !__builtin_mul_overflow(number, u.factor, &number);
  return false;
}

}  // namespace

Result<int64_t> parse_bytes(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"B", 1},
                                    {"KiB", 1LL << 10},
                                    {"MiB", 1LL << 20},
                                    {"GiB", 1LL << 30},
                                    {"TiB", 1LL << 40},
                                    {"KB", 1'000},
                                    {"MB", 1'000'000},
                                    {"GB", 1'000'000'000}};
  int64_t number = 0;
  std::string_view unit;
  if (!split_number(text, number, unit) || !scale(unit, kUnits, number))
    return fail(ErrorKind::kUsage, "\"" + std::string(text) +
                                       "\" is not a size: write a whole number and a unit, such as "
                                       "\"64KiB\" or \"8MiB\"");
  return number;
}

Result<Milliseconds> parse_duration(std::string_view text) {
  static constexpr Unit kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  int64_t number = 0;
  std::string_view unit;
  if (!split_number(text, number, unit) || !scale(unit, kUnits, number))
    return fail(ErrorKind::kUsage,
                "\"" + std::string(text) +
                    "\" is not a duration: write a whole number and a unit, such "
                    "as \"200ms\", \"30s\" or \"5m\"");
  return Milliseconds(number);
}

std::string format_bytes(int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  static constexpr const char* kNames[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kNames); ++unit) value /= 1024;
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.1f %s", value, kNames[unit]);
  return buffer;
}

std::string format_duration(Milliseconds duration) {
  int64_t ms = duration.count();
  if (ms < 1000) return std::to_string(ms) + "ms";
  char buffer[64];
  if (ms < 60'000) {
    std::snprintf(buffer, sizeof buffer, "%.1fs", static_cast<double>(ms) / 1000);
    return buffer;
  }
  int64_t seconds = ms / 1000;
  if (seconds < 3600)
    return std::to_string(seconds / 60) + "m " + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds / 3600) + "h " + std::to_string(seconds / 60 % 60) + "m";
}

std::string format_count(int64_t count) {
  std::string digits = std::to_string(count);
  for (int i = static_cast<int>(digits.size()) - 3; i > (count < 0 ? 1 : 0); i -= 3)
    digits.insert(static_cast<size_t>(i), ",");
  return digits;
}

std::string format_count(uint64_t count, std::string_view noun) {
  std::string out = format_count(static_cast<int64_t>(count)) + " " + std::string(noun);
  if (count == 1) return out;
  if (!noun.ends_with("ry")) return out + "s";
  out.pop_back();
  return out + "ies";
}

}  // namespace leat
