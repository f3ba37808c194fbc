#include "connectors/postgres/times.h"

#include <cstring>

#include "base/time_format.h"

namespace leat::postgres {
namespace {

constexpr size_t kLongest = 40;

std::optional<int64_t> read_joined(std::string_view before, std::string_view text,
                                   std::string_view behind) {
  static const TimeFormat kRfc3339 = *TimeFormat::parse("rfc3339");
  char joined[kLongest + 32];
  if (text.size() > kLongest) return {};
  char* end = joined;
  for (std::string_view part : {before, text, behind}) {
    if (!part.empty()) std::memcpy(end, part.data(), part.size());
    end += part.size();
  }
  return kRfc3339.read(std::string_view(joined, static_cast<size_t>(end - joined)));
}

}  // namespace

std::optional<int64_t> read_timestamp(std::string_view text) {
  constexpr size_t kDate = 10;  // "2026-01-02"
  if (text.size() == kDate) return read_joined("", text, "T00:00:00Z");
  if (auto time = read_joined("", text, "")) return time;
  return read_joined("", text, "Z");
}

std::optional<int64_t> read_time_of_day(std::string_view text) {
  constexpr size_t kMinutes = 5;  // "03:04"
  auto time = read_joined("1970-01-01T", text, text.size() == kMinutes ? ":00Z" : "Z");
  if (!time || *time < 0 || *time >= kUsPerDay) return {};
  return time;
}

int64_t day_of(int64_t unix_us) {
  int64_t day = unix_us / kUsPerDay;
  return unix_us % kUsPerDay < 0 ? day - 1 : day;
}

}  // namespace leat::postgres
