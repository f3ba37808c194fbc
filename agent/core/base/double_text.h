// A double or a float as text: the fewest digits that read back as the same value.
//
// Not std::to_chars: that of GCC 12 brings 115 KB of tables (for the exact digits of large numbers)
// into a binary whose size is a promise. The digits come from fmt's Dragonbox instead.
#pragma once

#include <cstddef>

namespace leat {

// What the longest one takes: "-2.2250738585072014e-308".
constexpr size_t kDoubleTextSize = 24;

// Writes a finite `value` at `at`, where there must be kDoubleTextSize bytes, and returns the end:
// plain digits ("1250000", "0.001") or an exponent of at least two digits ("1e+22", "1.5e-07"),
// whichever is shorter, plain ones when both are.
char* write_double(char* at, double value);

// The same of a float: the fewest digits that read back as the same float.
char* write_float(char* at, float value);

}  // namespace leat
