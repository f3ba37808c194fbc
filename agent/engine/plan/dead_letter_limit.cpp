#include "plan/dead_letter_limit.h"

#include <charconv>

namespace leat {

std::optional<DeadLetterLimit> parse_dead_letter_limit(std::string_view text) {
  const bool share = text.ends_with('%');
  if (share) text.remove_suffix(1);
  const char* end = text.data() + text.size();
  DeadLetterLimit limit;
  if (share) {
    double percent = 0;
    auto [stop, error] = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
    if (error != std::errc() || stop != end || !(percent >= 0 && percent <= 100)) return {};
    limit.share = percent / 100;
  } else {
    uint64_t count = 0;
    auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop != end) return {};
    limit.count = count;
  }
  return limit;
}

}  // namespace leat
