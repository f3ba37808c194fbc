// Text between quotes.
#pragma once

#include <string>
#include <string_view>

namespace leat {

// Each quote that is in `text` is written twice: as in SQL, whatever is in a name or a string.
std::string in_quotes(std::string_view text, char quote);

}  // namespace leat
