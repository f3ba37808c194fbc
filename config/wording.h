// How options, their types and their limits are put into words, for messages and for help.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/units.h"
#include "options/options.h"

namespace leat {

// Of a list of objects that are secret (`agent.admin.tokens`) one may also be a text: that stands
// for an object with nothing but its first option, and one alone for a list of it.
constexpr bool takes_text(const Option& option) {
  return option.type == OptionType::kObjects && option.secret;
}

// An example value of this option as it stands in JSON: "8MiB" with its quotes, 5, ["a", "b"].
std::string example_of(const Option& option);
// What the option takes: `a size such as "8MiB"`.
std::string wanted(const Option& option);
// "between 1 and 16", in the option's unit.
std::string range_text(const Option& option);
// One limit of an option in its unit, as JSON: 16, "8MiB".
std::string limit_text(const Option& option, int64_t value);
// `a, b`.
std::string joined(std::span<const std::string> words);
// `"a", "b"`.
std::string quoted_list(std::span<const std::string_view> words);
// Sizes and durations as people write them, exact: "64KiB", "1500ms".
std::string exact_bytes(int64_t bytes);
std::string exact_duration(Milliseconds duration);

}  // namespace leat
