// A machine word at a time: byte tests without SIMD instructions, so that one piece of code is fast
// on x86-64 and on 32-bit ARM alike (Hacker's Delight, 2nd ed., section 6-1).
//
// Each test returns a word with the high bit of every byte that passes. Borrows and carries may
// flag further bytes, but only at higher addresses than one that truly passes, so first_byte() of a
// result is exact.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace leat::swar {

using Word = size_t;
static_assert(std::endian::native == std::endian::little, "load() would have to swap the bytes");

inline constexpr Word kOnes = ~Word{0} / 255;  // 0x01 in each byte
inline constexpr Word kHigh = kOnes * 0x80;
inline constexpr std::ptrdiff_t kSize = sizeof(Word);

constexpr Word each(unsigned char c) {
  return kOnes * c;
}

inline Word load(const char* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Bytes equal to the one that `pattern` repeats.
constexpr Word equal_to(Word word, Word pattern) {
  Word x = word ^ pattern;
  return (x - kOnes) & ~x & kHigh;
}

// Bytes below 0x20.
constexpr Word control(Word word) {
  return (word - each(0x20)) & ~word & kHigh;
}

// What cannot stand as it is inside a JSON string: '"', '\\' and control characters.
constexpr Word json_special(Word word) {
  return equal_to(word, each('"')) | equal_to(word, each('\\')) | control(word);
}

// Bytes that are no ASCII digit.
constexpr Word non_digit(Word word) {
  Word x = word ^ each('0');
  return ((x + each(0x80 - 10)) | x) & kHigh;
}

// Distance from the lowest address to the first byte of a non-zero result.
constexpr int first_byte(Word flags) {
  return std::countr_zero(flags) / 8;
}

// The high bits of the bytes before the first of a non-zero result.
constexpr Word before_first(Word flags) {
  return ((flags & (0 - flags)) - 1) & kHigh;
}

// First of `a` or `b` in [p, end), or end. Faster than memchr on the short fields of records.
inline const char* find_either(const char* p, const char* end, char a, char b) {
  const Word pattern_a = each(static_cast<unsigned char>(a));
  const Word pattern_b = each(static_cast<unsigned char>(b));
  for (; end - p >= kSize; p += kSize) {
    Word word = load(p);
    Word hit = equal_to(word, pattern_a) | equal_to(word, pattern_b);
    if (hit != 0) return p + first_byte(hit);
  }
  while (p < end && *p != a && *p != b) ++p;
  return p;
}

// Copies without the cost of a call for the few bytes that names and values of telemetry have.
inline char* copy_short(char* out, const char* p, size_t n) {
  if (n > 16) {
    std::memcpy(out, p, n);
  } else if (n >= 8) {
    std::memcpy(out, p, 8);
    std::memcpy(out + n - 8, p + n - 8, 8);
  } else if (n >= 4) {
    std::memcpy(out, p, 4);
    std::memcpy(out + n - 4, p + n - 4, 4);
  } else if (n > 0) {
    out[0] = p[0];
    out[n / 2] = p[n / 2];
    out[n - 1] = p[n - 1];
  }
  return out + n;
}

}  // namespace leat::swar
