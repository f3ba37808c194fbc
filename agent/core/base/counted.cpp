#include "base/counted.h"

#include "base/units.h"

namespace leat {

std::string format_count(uint64_t count, std::string_view noun, std::string_view is,
                         std::string_view are) {
  return format_count(count, noun) + " " + std::string(count == 1 ? is : are);
}

}  // namespace leat
