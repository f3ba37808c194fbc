// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): to tell contents apart, not against
// somebody who wants them taken for each other. Is kept on disks, so it does not change.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat {

inline constexpr uint64_t kFnvBegin = 0xcbf29ce484222325;

// Goes on from `hash`.
inline uint64_t fnv1a(std::string_view bytes, uint64_t hash = kFnvBegin) {
  for (char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace leat
