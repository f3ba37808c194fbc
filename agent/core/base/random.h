// Random bits from the operating system, for names that nobody else has and seeds. Any thread.
#pragma once

#include <cstdint>

namespace leat {

uint64_t random_number();

}  // namespace leat
