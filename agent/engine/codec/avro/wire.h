// Numbers of the binary encoding (specification 1.11, "Binary Encoding"). Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/swar.h"  // asserts that the bytes of numbers need not be swapped

namespace leat {

// Behind it; null: it ends too early, or never.
inline const char* read_avro_long(const char* p, const char* end, int64_t& out) {
  uint64_t n = 0;
  for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*p++);
    n |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      out = static_cast<int64_t>(n >> 1) ^ -static_cast<int64_t>(n & 1);
      return p;
    }
  }
  return nullptr;
}

constexpr size_t kAvroLongSize = 10;  // at most

// There must be kAvroLongSize bytes at `p`; returns the end.
inline char* write_avro_long(char* p, int64_t value) {
  auto n = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; n >= 0x80; n >>= 7) *p++ = static_cast<char>(n | 0x80);
  *p++ = static_cast<char>(n);
  return p;
}

inline void append_avro_long(std::string& out, int64_t value) {
  char buffer[kAvroLongSize];
  out.append(buffer, write_avro_long(buffer, value));
}
inline void append_avro_text(std::string& out, std::string_view text) {
  append_avro_long(out, static_cast<int64_t>(text.size()));
  out += text;
}

}  // namespace leat
