// Counts in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

// "1 record is", "1,234 records are"; format_count() of units.h, with the verb behind it.
std::string format_count(uint64_t count, std::string_view noun, std::string_view is,
                         std::string_view are);

}  // namespace leat
