// Random bytes from the operating system, for keys. Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace leat {

// Fails where the system gives none: then there must be no key.
Result<std::string> random_bytes(size_t count);

// The same as mbedTLS asks for it (f_rng); `nothing` is not used.
int fill_random(void* nothing, unsigned char* out, size_t count);

}  // namespace leat
