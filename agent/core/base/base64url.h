// base64url without padding (RFC 7515 section 2). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat {

std::string to_base64url(std::string_view bytes);

// Nullopt for what to_base64url() does not write: padding, other characters, bits left over that
// are not 0. So each value has one text.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace leat
