#include "base/random.h"

#include <unistd.h>
#include <uv.h>

namespace leat {

uint64_t random_number() {
  uint64_t number = 0;
  // A kernel without getrandom() in a root without /dev: what this process has of its own.
  if (uv_random(nullptr, nullptr, &number, sizeof number, 0, nullptr) != 0)
    number = static_cast<uint64_t>(::getpid()) << 32 ^ reinterpret_cast<uintptr_t>(&number);
  return number;
}

}  // namespace leat
