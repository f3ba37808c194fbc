// Integers in network byte order, at any alignment. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat {

template <typename Integer, typename Byte>
Integer read_big_endian(const Byte* at) {
  static_assert(sizeof(Byte) == 1);
  Integer n = 0;
  for (size_t i = 0; i < sizeof n; ++i)
    n = static_cast<Integer>(n << 8 | static_cast<uint8_t>(at[i]));
  return n;
}

}  // namespace leat
