// Whole numbers in the text of numbers, digit by digit: for columns of integers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat {

enum class WholeNumber : uint8_t {
  kWhole,
  kFraction,
  kTooLong,  // more digits than an int64 has
};

// `text` (RFC 8259 section 6): "44.0", "1e3", "9007199254740993.0". Where it is whole, `out` is its
// digits, with a minus: not more than 19, but it may still be beyond an int64. No double is made on
// the way.
WholeNumber whole_number(std::string_view text, std::string& out);
// The same as an int64; nullopt when it is not whole, or beyond that.
std::optional<int64_t> whole_int64(std::string_view text, std::string& digits);

}  // namespace leat
