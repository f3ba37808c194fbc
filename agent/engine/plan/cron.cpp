#include "plan/cron.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>

#include "base/text.h"

namespace leat {
namespace {

constexpr int64_t kMinute = 60;
constexpr int64_t kHour = 3600;
constexpr int64_t kDay = 86'400;
// A 29th of February on one day of the week comes each 28 years, and after 2096 later.
constexpr int64_t kLongest = 45 * 366 * kDay;
// The clock is put back by so much at most, for summer time.
constexpr int64_t kPutBack = 3 * kHour;

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned low;
  unsigned high;
  std::span<const std::string_view> names = {};  // of `low` and what follows
};
constexpr Field kFields[] = {{"minute", 0, 59},
                             {"hour", 0, 23},
                             {"day of the month", 1, 31},
                             {"month", 1, 12, kMonths},
                             {"day of the week", 0, 7, kWeekdays}};

std::optional<unsigned> number_of(std::string_view text, const Field& field) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  const auto named = std::ranges::find(field.names, small);
  if (named != field.names.end())
    return field.low + static_cast<unsigned>(named - field.names.begin());
  unsigned out = 0;
  if (text.empty() || text.size() > 2) return std::nullopt;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<unsigned>(c - '0');
  }
  return out;
}

// "*", "*/5", "7", "1-5", "0-30/10", "mon-fri". A step as long as the range is a single value, and
// not "each 90 minutes", which it is taken for.
bool add_part(std::string_view part, const Field& field, uint64_t& out) {
  const size_t slash = part.find('/');
  std::optional<unsigned> step = 1;
  if (slash != std::string_view::npos) {
    step = number_of(part.substr(slash + 1), {"", 0, 0});
    part = part.substr(0, slash);
    if (step && *step > field.high) return false;
  }
  std::optional<unsigned> from = field.low;
  std::optional<unsigned> to = field.high;
  if (part != "*") {
    const size_t dash = part.find('-');
    from = number_of(part.substr(0, dash), field);
    to = dash == std::string_view::npos ? from : number_of(part.substr(dash + 1), field);
    if (dash == std::string_view::npos && slash != std::string_view::npos) return false;
  }
  if (!step || *step == 0 || !from || !to || *from < field.low || *to > field.high || *from > *to)
    return false;
  for (unsigned i = *from; i <= *to; i += *step) out |= uint64_t{1} << i;
  return true;
}

bool add_list(std::string_view list, const Field& field, uint64_t& out) {
  while (true) {
    const size_t comma = list.find(',');
    if (!add_part(list.substr(0, comma), field, out)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

// "fri-sun" runs from 5 to 0: how it is written so that it does not. "": it is not that.
std::string as_range_upwards(std::string_view list, const Field& field) {
  const size_t dash = list.find('-');
  if (field.high != 7 || dash == std::string_view::npos) return "";
  const std::optional<unsigned> from = number_of(list.substr(0, dash), field);
  const std::optional<unsigned> to = number_of(list.substr(dash + 1), field);
  if (!from || !to || *to != 0 || *from == 0 || *from > field.high) return "";
  return std::string(list.substr(0, dash)) + "-7";
}

std::string why_not(std::string_view list, const Field& field) {
  const std::string upwards = as_range_upwards(list, field);
  return "the " + std::string(field.name) + " \"" + excerpt(list) + "\" must be *, or numbers of " +
         std::to_string(field.low) + " to " + std::to_string(field.high) +
         (field.names.empty() ? "" : " or names") + ", such as 1,5 or 1-5, with a step of 1 to " +
         std::to_string(field.high) + ": */2, 1-5/2" +
         (upwards.empty() ? "" : "; ranges go upwards, and Sunday is 7, too: " + upwards);
}

int64_t floor_to(int64_t time, int64_t unit) {
  return time - ((time % unit) + unit) % unit;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  std::array<std::string_view, std::size(kFields)> words;
  size_t count = 0;
  constexpr std::string_view kBlank = " \t";
  for (size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kBlank, at), text.size());
    if (count < words.size()) words[count] = text.substr(at, end - at);
    ++count;
    at = text.find_first_not_of(kBlank, end);
  }
  if (count != words.size())
    return fail(ErrorKind::kUsage,
                "must have five fields (minute, hour, day of the month, month, day of the week), "
                "such as \"15 2 * * *\"");
  std::array<uint64_t, std::size(kFields)> bits{};
  for (size_t i = 0; i < words.size(); ++i)
    if (const Field& field = kFields[i]; !add_list(words[i], field, bits[i]))
      return fail(ErrorKind::kUsage, why_not(words[i], field));
  Cron out;
  out.minutes_ = bits[0];
  out.hours_ = static_cast<uint32_t>(bits[1]);
  out.days_ = static_cast<uint32_t>(bits[2]);
  out.months_ = static_cast<uint32_t>(bits[3]);
  out.weekdays_ = static_cast<uint32_t>(bits[4] | bits[4] >> 7);  // 7 is Sunday, too
  out.any_day_ = words[2].front() == '*';
  out.any_weekday_ = words[4].front() == '*';
  out.goes_by_time_ = words[0].front() == '*' || words[1].front() == '*';
  if (!out.by_the_clock(0, kLongest))
    return fail(ErrorKind::kUsage, "never comes: there is no such day");
  return out;
}

bool Cron::on_day(int64_t day) const {
  const std::chrono::sys_days date{std::chrono::days(day)};
  const std::chrono::year_month_day parts(date);
  if ((months_ >> static_cast<unsigned>(parts.month()) & 1) == 0) return false;
  const bool of_month = (days_ >> static_cast<unsigned>(parts.day()) & 1) != 0;
  const bool of_week = (weekdays_ >> std::chrono::weekday(date).c_encoding() & 1) != 0;
  return any_day_ || any_weekday_ ? of_month && of_week : of_month || of_week;
}

std::optional<int64_t> Cron::by_the_clock(int64_t from, int64_t to) const {
  for (int64_t at = from; at < to;) {
    const int64_t day = floor_to(at, kDay);
    const int64_t hour = floor_to(at, kHour);
    if (!on_day(day / kDay)) {
      at = day + kDay;
    } else if ((hours_ >> ((hour - day) / kHour) & 1) == 0) {
      at = hour + kHour;
    } else if ((minutes_ >> ((at - hour) / kMinute) & 1) == 0) {
      at += kMinute;
    } else {
      return at;
    }
  }
  return std::nullopt;
}

std::optional<int64_t> Cron::next_after(int64_t unix_s, const TimeZone& zone) const {
  const int64_t now = unix_s + zone.offset_at(unix_s);
  const int64_t last = now + kLongest;
  std::optional<int64_t> best;
  auto add = [&](int64_t at) {
    if (at > unix_s && (!best || at < *best)) best = at;
  };
  // In an hour that the clock goes through twice, what is earlier by the clock may still come.
  int64_t from = floor_to(now - kPutBack, kMinute);
  for (auto clock = by_the_clock(from, last); clock; clock = by_the_clock(from, last)) {
    // What its place was ahead by before and after a change that may be near.
    const int32_t before = zone.offset_at(*clock - kDay);
    const int32_t after = zone.offset_at(*clock + kDay);
    const int64_t first = *clock - std::max(before, after);
    const int64_t second = *clock - std::min(before, after);
    const bool has_first = zone.offset_at(first) == std::max(before, after);
    const bool has_second = zone.offset_at(second) == std::min(before, after);
    if (has_first) add(first);
    if (has_second && (goes_by_time_ || !has_first)) add(second);
    if (!has_first && !has_second && !goes_by_time_) {
      // The moment at which the clock is put forward over it.
      int64_t low = first;  // before it
      int64_t high = second;
      while (low + 1 < high) {
        const int64_t middle = low + (high - low) / 2;
        (zone.offset_at(middle) == before ? low : high) = middle;
      }
      add(high);
    }
    if (best && *clock > now) break;
    from = *clock + kMinute;
  }
  return best;
}

}  // namespace leat
