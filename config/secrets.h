// What must not be shown of a configuration's values.
#pragma once

#include <string>
#include <string_view>

namespace leat {

inline constexpr std::string_view kMask = "***";

// A secret with the mask in its place, or more of the same for a long one: of a URL the passwords
// in it, "postgresql://u:***@h/d".
std::string masked(std::string_view secret);

// True for what masked() would change.
bool holds_secret(std::string_view text);

}  // namespace leat
