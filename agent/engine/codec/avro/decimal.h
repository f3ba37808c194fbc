// Decimals: an unscaled whole number in the fewest bytes of two's complement, the highest first.
// Any thread.
#pragma once

#include <string>
#include <string_view>

namespace leat {

// More are no number that anybody means, and their digits take long.
constexpr size_t kMostDecimalBytes = 256;

// "-12.50" for scale 2.
std::string avro_decimal_text(std::string_view bytes, int scale);

}  // namespace leat
