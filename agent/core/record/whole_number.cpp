#include "record/whole_number.h"

#include <algorithm>
#include <charconv>

namespace leat {
namespace {

constexpr int64_t kFarAway = 1'000'000'000;  // an exponent beyond all types

int64_t read_exponent(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t exponent = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc()) return text.starts_with('-') ? -kFarAway : kFarAway;
  return std::clamp(exponent, -kFarAway, kFarAway);
}

}  // namespace

WholeNumber whole_number(std::string_view text, std::string& out) {
  constexpr int64_t kMostDigits = 19;  // of an int64
  out.clear();
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  // All digits, and where the point stands among them.
  int64_t point = -1;
  size_t i = 0;
  for (; i < text.size() && (text[i] | 0x20) != 'e'; ++i) {
    if (text[i] == '.')
      point = static_cast<int64_t>(out.size());
    else
      out += text[i];
  }
  if (point < 0) point = static_cast<int64_t>(out.size());
  if (i < text.size()) point += read_exponent(text.substr(i + 1));
  // Without zeros at either end.
  size_t first = out.find_first_not_of('0');
  if (first == std::string::npos) {
    out = "0";
    return WholeNumber::kWhole;
  }
  out.resize(out.find_last_not_of('0') + 1);
  out.erase(0, first);
  point -= static_cast<int64_t>(first);
  if (point < static_cast<int64_t>(out.size())) return WholeNumber::kFraction;
  if (point > kMostDigits) return WholeNumber::kTooLong;
  out.append(static_cast<size_t>(point) - out.size(), '0');
  if (negative) out.insert(out.begin(), '-');
  return WholeNumber::kWhole;
}

std::optional<int64_t> whole_int64(std::string_view text, std::string& digits) {
  if (whole_number(text, digits) != WholeNumber::kWhole) return std::nullopt;
  int64_t out = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() ? std::optional(out) : std::nullopt;
}

}  // namespace leat
