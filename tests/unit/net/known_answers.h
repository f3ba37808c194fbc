// For tests of ciphers: bytes from hexadecimal digits, and as mbedTLS takes them.
#pragma once

#include <string>
#include <string_view>

#include "base/hex.h"

namespace leat {

inline std::string bytes(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) out += static_cast<char>(hex_byte(hex, i));
  return out;
}

inline const unsigned char* raw(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* raw(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace leat
