#include "base/time_zone.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace leat {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr int32_t kHour = 3600;
constexpr int64_t kDay = 24 * kHour;
constexpr size_t kMostBytes = 256 * 1024;

// Numbers of an RFC 8536 file, the highest byte first.
uint64_t number_at(std::string_view bytes, size_t at, size_t size) {
  uint64_t out = 0;
  for (size_t i = 0; i < size; ++i) out = out << 8 | static_cast<uint8_t>(bytes[at + i]);
  return out;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_number(std::string_view& text, int most, int& out) {
  size_t digits = 0;
  out = 0;
  for (; digits < text.size() && digits < 3 && text[digits] >= '0' && text[digits] <= '9'; ++digits)
    out = out * 10 + (text[digits] - '0');
  text.remove_prefix(digits);
  return digits > 0 && out <= most;
}

// "CET", "<+03>"
bool take_name(std::string_view& text) {
  const bool quoted = take(text, '<');
  size_t end = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (quoted ? c == '>' : !letter) break;
  }
  text.remove_prefix(end);
  return end > 0 && (!quoted || take(text, '>'));
}

// "-1", "5:30", "03"
bool take_time(std::string_view& text, int32_t& out) {
  const bool negative = take(text, '-');
  if (!negative) (void)take(text, '+');
  int hours = 0;
  if (!take_number(text, 167, hours)) return false;
  out = hours * kHour;
  for (int unit : {60, 1}) {
    int part = 0;
    if (!take(text, ':')) break;
    if (!take_number(text, 59, part)) return false;
    out += part * unit;
  }
  if (negative) out = -out;
  return true;
}

// Nothing that leads out of the folder: names can come from afar.
bool is_name(const std::string& name) {
  return !name.empty() && name.front() != '/' && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '+' || c == '-';
  });
}

Result<std::string> content_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno("open " + path, errno);
  std::string out(kMostBytes, '\0');
  size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < out.size()) {
    got = ::read(fd, out.data() + size, out.size() - size);
    if (got > 0) size += static_cast<size_t>(got);
  }
  const int error = errno;
  ::close(fd);
  if (got < 0) return fail_errno("read " + path, error);
  out.resize(size);
  return out;
}

}  // namespace

Result<TimeZone> TimeZone::load(const std::string& name, const std::string& folder) {
  if (name == "UTC") return TimeZone();
  // Their times count leap seconds, which the clock does not.
  if (name.starts_with("right/"))
    return fail(ErrorKind::kUsage,
                "\"" + name + "\" counts leap seconds, which the clock does not: " + "write \"" +
                    name.substr(6) + "\"");
  if (!is_name(name))
    return fail(ErrorKind::kUsage, "must be a name such as \"Europe/Berlin\", or \"UTC\"");
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0)
    return fail(ErrorKind::kUsage, "\"" + name + "\" is not known on this machine, which has no " +
                                       folder +
                                       ": install the tz database (Debian: tzdata, OpenWrt: "
                                       "zoneinfo-…), or give the time in \"UTC\"");
  Result<std::string> file = content_of(folder + "/" + name);
  if (!file)
    return fail(ErrorKind::kUsage,
                "there is no time zone \"" + name + "\": " + file.error().message());
  Result<TimeZone> out = parse(*file);
  if (!out) return fail(ErrorKind::kUsage, folder + "/" + name + " " + out.error().message());
  return out;
}

// A header, and the times in 32 bits; then again, in 64 bits; then the rule between two newlines.
Result<TimeZone> TimeZone::parse(std::string_view file) {
  constexpr size_t kHeader = 44;
  const Error broken(ErrorKind::kData, "is no file of the tz database that leat can read");
  struct Counts {
    size_t utc, standard, leaps, times, types, letters;
    size_t bytes(size_t of_time) const {
      return times * (of_time + 1) + types * 6 + letters + leaps * (of_time + 4) + standard + utc;
    }
  };
  auto counts_at = [&file](size_t at) {
    std::array<size_t, 6> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = number_at(file, at + 20 + i * 4, 4);
    return Counts{all[0], all[1], all[2], all[3], all[4], all[5]};
  };
  auto begins = [&file](size_t at) {
    return file.size() >= at + kHeader && file.substr(at, 4) == "TZif" && file[at + 4] >= '2';
  };
  if (file.size() > kMostBytes || !begins(0)) return tl::unexpected(broken);
  size_t at = kHeader + counts_at(0).bytes(4);
  if (at > file.size() || !begins(at)) return tl::unexpected(broken);
  const Counts counts = counts_at(at);
  at += kHeader;
  const size_t end = at + counts.bytes(8);
  if (end > file.size() || counts.types == 0) return tl::unexpected(broken);
  const size_t types_at = at + counts.times * 8;
  const size_t offsets_at = types_at + counts.times;
  TimeZone out;
  out.first_ = static_cast<int32_t>(number_at(file, offsets_at, 4));
  for (size_t i = 0; i < counts.times; ++i) {
    const size_t type = static_cast<uint8_t>(file[types_at + i]);
    if (type >= counts.types) return tl::unexpected(broken);
    out.changes_.push_back({static_cast<int64_t>(number_at(file, at + i * 8, 8)),
                            static_cast<int32_t>(number_at(file, offsets_at + type * 6, 4))});
  }
  std::string_view rest = file.substr(end);
  if (!take(rest, '\n') || !rest.ends_with('\n')) return tl::unexpected(broken);
  rest.remove_suffix(1);
  if (rest.empty()) {  // what holds last holds for ever
    out.rule_.standard = out.changes_.empty() ? out.first_ : out.changes_.back().offset;
  } else if (!parse_rule(rest, out.rule_)) {
    return tl::unexpected(broken);
  }
  return out;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": what is to the west counts upwards.
bool TimeZone::parse_rule(std::string_view text, Rule& out) {
  if (!take_name(text) || !take_time(text, out.standard)) return false;
  out.standard = -out.standard;
  out.summer = out.standard + kHour;
  if (text.empty()) return true;
  out.changes = true;
  if (!take_name(text)) return false;
  if (!text.empty() && text.front() != ',') {
    if (!take_time(text, out.summer)) return false;
    out.summer = -out.summer;
  }
  return take(text, ',') && parse_moment(text, out.begin) && take(text, ',') &&
         parse_moment(text, out.end) && text.empty();
}

bool TimeZone::parse_moment(std::string_view& text, Moment& out) {
  if (take(text, 'M')) {
    if (!take_number(text, 12, out.month) || !take(text, '.') || !take_number(text, 5, out.week) ||
        !take(text, '.') || !take_number(text, 6, out.day) || out.month == 0 || out.week == 0)
      return false;
  } else {
    out.kind = take(text, 'J') ? 'J' : 'n';
    if (!take_number(text, 365, out.day)) return false;
  }
  return !take(text, '/') || take_time(text, out.second);
}

int64_t TimeZone::Moment::in(int64_t year) const {
  using std::chrono::January;
  const std::chrono::year y(static_cast<int>(year));
  sys_days on;
  if (kind == 'M') {
    const std::chrono::month m(static_cast<unsigned>(month));
    const std::chrono::weekday of(static_cast<unsigned>(day));
    on = week == 5 ? sys_days(y / m / of[std::chrono::last])
                   : sys_days(y / m / of[static_cast<unsigned>(week)]);
  } else {
    on = sys_days(y / January / 1) + days(day);
    // J counts from 1, and never the 29th of February.
    if (kind == 'J' && !(y.is_leap() && day >= 60)) on -= days(1);
  }
  return on.time_since_epoch().count() * kDay + second;
}

int32_t TimeZone::offset_at(int64_t unix_s) const {
  if (changes_.empty() || unix_s >= changes_.back().at) {
    if (!rule_.changes) return rule_.standard;
    const days day(unix_s / kDay - (unix_s % kDay < 0 ? 1 : 0));
    const std::chrono::year_month_day date{sys_days(day)};
    const int year = static_cast<int>(date.year());
    const int64_t begin = rule_.begin.in(year)-rule_.standard;
    const int64_t end = rule_.end.in(year)-rule_.summer;
    const bool summer = begin < end ? unix_s >= begin && unix_s < end
                                    : unix_s >= begin || unix_s < end;  // south of the equator
    return summer ? rule_.summer : rule_.standard;
  }
  auto next = std::ranges::upper_bound(changes_, unix_s, {}, &Change::at);
  return next == changes_.begin() ? first_ : std::prev(next)->offset;
}

}  // namespace leat
