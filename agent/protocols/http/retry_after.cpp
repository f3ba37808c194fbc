#include "protocols/http/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

namespace leat::http {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (true) {
    size_t start = text.find_first_not_of(separators);
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    size_t end = std::min(text.find_first_of(separators), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<int64_t> to_unix(std::string_view day_text, std::string_view month_text, int year,
                               std::string_view time) {
  using namespace std::chrono;
  auto month = std::find(kMonths.begin(), kMonths.end(), month_text);
  std::vector<std::string_view> parts = split(time, ":");
  std::optional<int> day_number = number(day_text);
  if (month == kMonths.end() || parts.size() != 3 || !day_number) return std::nullopt;
  std::optional<int> h = number(parts[0]), m = number(parts[1]), s = number(parts[2]);
  if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  year_month_day date(std::chrono::year(year),
                      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                      day(static_cast<unsigned>(*day_number)));
  if (!date.ok()) return std::nullopt;
  return int64_t{sys_days(date).time_since_epoch().count()} * 86'400 + *h * 3600 + *m * 60 + *s;
}

// RFC 9110 section 5.6.7: a two-digit year more than 50 years ahead means the past century.
int full_year(int two_digits, int64_t now_s) {
  int now = 1970 + static_cast<int>(now_s / 31'556'952);
  int year = now - now % 100 + two_digits;
  return year > now + 50 ? year - 100 : year;
}

}  // namespace

std::optional<int64_t> parse_http_date(std::string_view text, int64_t now_s) {
  std::vector<std::string_view> words = split(text, " ,");
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  if (words.size() == 6 && words[5] == "GMT") {
    std::optional<int> year = number(words[3]);
    return year ? to_unix(words[1], words[2], *year, words[4]) : std::nullopt;
  }
  // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
  if (words.size() == 4 && words[3] == "GMT") {
    std::vector<std::string_view> date = split(words[1], "-");
    if (date.size() != 3) return std::nullopt;
    std::optional<int> year = number(date[2]);
    if (!year || *year > 99) return std::nullopt;
    return to_unix(date[0], date[1], full_year(*year, now_s), words[2]);
  }
  // asctime: Sun Nov  6 08:49:37 1994
  if (words.size() == 5) {
    std::optional<int> year = number(words[4]);
    return year ? to_unix(words[2], words[1], *year, words[3]) : std::nullopt;
  }
  return std::nullopt;
}

Milliseconds parse_retry_after(std::string_view value, std::string_view date, int64_t now_s) {
  constexpr int64_t kLongest = kLongestRetryAfter.count() / 1000;
  if (value.empty()) return Milliseconds{0};
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    std::optional<int> seconds = number(value);  // nullopt: it has too many digits for an int
    return Milliseconds(std::min<int64_t>(seconds.value_or(kLongest), kLongest) * 1000);
  }
  std::optional<int64_t> at = parse_http_date(value, now_s);
  if (!at) return Milliseconds{0};
  int64_t from = parse_http_date(date, now_s).value_or(now_s);
  return Milliseconds(std::clamp<int64_t>(*at - from, 0, kLongest) * 1000);
}

}  // namespace leat::http
