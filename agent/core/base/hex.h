// Hexadecimal digits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leat {

inline constexpr char kHexDigits[] = "0123456789abcdef";
inline constexpr char kUpperHexDigits[] = "0123456789ABCDEF";

// Two digits.
inline void append_hex(std::string& out, uint8_t byte, const char* digits = kHexDigits) {
  out += digits[byte >> 4];
  out += digits[byte & 0xF];
}

inline void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  for (unsigned char byte : bytes) append_hex(out, byte);
}

inline void append_hex(std::string& out, std::string_view bytes) {
  for (char byte : bytes) append_hex(out, static_cast<uint8_t>(byte));
}

// Of either case; -1 for what is no digit.
inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Of the two digits at text[at]; -1 where there are no two.
inline int hex_byte(std::string_view text, size_t at) {
  if (at + 1 >= text.size()) return -1;
  int high = hex_value(text[at]);
  int low = hex_value(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace leat
