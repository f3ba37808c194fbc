// What must not be shown of a configuration's values.
#pragma once

#include <string>
#include <string_view>

#include "options/options.h"

namespace leat {

inline constexpr std::string_view kMask = "***";

// Of an option that is a secret: the mask in its place, or more of the same for a long one; of a
// URL as masked_url().
std::string masked(std::string_view secret);

// Of any other text, the secrets in it when it is a URL: the password, and parameters of the query
// whose names say so: "postgresql://u:***@h/d", "https://h/?token=***".
std::string masked_url(std::string_view text);

// What may be shown of a text that is the value of this option.
std::string without_secrets(const Option& option, std::string_view text);

// Whether what has this name in a query, or as a header of HTTP, is a secret: "X-Api-Key", "sig".
bool names_secret(std::string_view name);

}  // namespace leat
