// Patterns of times as Java and Joda write them: yyyy-MM-dd HH:mm:ss.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::datax {

// The same as `format` of a CSV column takes it: "%Y-%m-%d %H:%M:%S". Fails for what it cannot say.
Result<std::string> time_pattern(std::string_view java);

}  // namespace leat::datax
