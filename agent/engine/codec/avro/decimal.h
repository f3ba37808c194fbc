// Decimals: an unscaled whole number in the fewest bytes of two's complement, the highest first.
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat {

// More are no number that anybody means, and their digits take long.
constexpr size_t kMostDecimalBytes = 256;

// "-12.50" for scale 2.
std::string avro_decimal_text(std::string_view bytes, int scale);
// Back: the bytes of a number's text (RFC 8259 section 6). Nullopt: it has more digits than
// `precision` and `scale` allow.
std::optional<std::string> avro_decimal_bytes(std::string_view text, int precision, int scale);

}  // namespace leat
