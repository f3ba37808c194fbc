// HMAC-SHA256 (RFC 2104). Any thread.
#pragma once

#include <string>
#include <string_view>

namespace leat {

inline constexpr size_t kSha256Size = 32;

std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace leat
