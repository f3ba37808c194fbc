// Strings as mbedTLS takes them. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace leat {

inline const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace leat
