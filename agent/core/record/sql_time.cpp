#include "record/sql_time.h"

#include <chrono>
#include <cstddef>

namespace leat {
namespace {

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : -1;
}

// `text` has them all.
int number_in(std::string_view text, size_t from, size_t count) {
  int value = 0;
  for (size_t i = from; i < from + count; ++i) value = value * 10 + digit(text[i]);
  return value;
}

}  // namespace

std::optional<int64_t> read_sql_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  if (text.size() < kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? digit(text[i]) < 0 : text[i] != kForm[i]) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(number_in(text, 0, 4)),
      std::chrono::month(static_cast<unsigned>(number_in(text, 5, 2))),
      std::chrono::day(static_cast<unsigned>(number_in(text, 8, 2))));
  if (date.year() == std::chrono::year(0) || !date.ok()) return std::nullopt;
  int64_t us = std::chrono::sys_days(date).time_since_epoch().count();
  us = us * 24 + number_in(text, 11, 2);
  us = us * 60 + number_in(text, 14, 2);
  us = (us * 60 + number_in(text, 17, 2)) * 1'000'000;
  if (text.size() == kForm.size()) return us;
  std::string_view fraction = text.substr(kForm.size());
  if (fraction[0] != '.' || fraction.size() > 7) return std::nullopt;
  int64_t unit = 100'000;
  for (char c : fraction.substr(1)) {
    if (digit(c) < 0) return std::nullopt;
    us += digit(c) * unit;
    unit /= 10;
  }
  return us;
}

}  // namespace leat
