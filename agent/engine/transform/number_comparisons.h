// Which columns an SQL expression compares with a number: in SQL every text is greater than every
// number, so that a mistyped reading passes `temp > 40`, and whoever wrote that should hear of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat {

// Each name once, as it is written there (without quotes), where it stands beside an operator and a
// literal: `temp > 40`, `40 <= "Temp"`, `temp BETWEEN 1 AND 2`. A name in a calculation is none:
// there SQL makes a number of it.
std::vector<std::string> compared_with_numbers(std::string_view expression);

}  // namespace leat
