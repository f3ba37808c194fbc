#include "task/dead_letter_reasons.h"

#include <algorithm>

namespace leat {
namespace {

constexpr size_t kLongest = 120;  // bytes of a reason

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string kind_of_reason(std::string_view reason) {
  std::string out;
  for (size_t i = 0; i < reason.size() && out.size() < kLongest; ++i) {
    const size_t close = reason[i] == '"' ? reason.find('"', i + 1) : std::string_view::npos;
    if (close != std::string_view::npos) {
      out += "\"…\"";
      i = close;
    } else if (!is_digit(reason[i])) {
      out += reason[i];
    } else if (out.empty() || out.back() != '#') {
      out += '#';
    }
  }
  if (out.size() < kLongest) return out;
  size_t end = kLongest - 1;  // not within a character of several bytes
  while (end > 0 && (out[end] & 0xC0) == 0x80) --end;
  return out.substr(0, end) + "…";
}

bool DeadLetterReasons::count(std::string_view stage, std::string_view code,
                              std::string_view reason) {
  std::string kind = kind_of_reason(reason);
  auto same = std::ranges::find_if(all_, [&](const DeadLetterReason& one) {
    return one.stage == stage && one.code == code && one.reason == kind;
  });
  if (same == all_.end() && all_.size() < kMost)
    same = all_.insert(same, {std::string(stage), std::string(code), std::move(kind), 0});
  if (same == all_.end()) {
    if (all_.size() == kMost) all_.push_back({"", "", "other reasons", 0});
    same = all_.end() - 1;
  }
  return ++same->count == 1;
}

}  // namespace leat
