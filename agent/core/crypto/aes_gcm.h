// AES-256 in Galois/Counter Mode (SP 800-38D): what is sealed can be read and changed by nobody
// without the key. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace leat {

inline constexpr size_t kAesKeySize = 32;
inline constexpr size_t kGcmNonceSize = 12;
inline constexpr size_t kGcmTagSize = 16;

// `key`, `nonce` and `tag` have the sizes above. `beside` is not hidden, and cannot be changed
// either. A nonce is never used twice with one key. The tag stands behind what is given back.
// Nullopt: there is no memory for it.
std::optional<std::string> aes_gcm_seal(std::string_view key, std::string_view nonce,
                                        std::string_view beside, std::string_view text);
// Nullopt: another key has sealed it, or it was changed.
std::optional<std::string> aes_gcm_open(std::string_view key, std::string_view nonce,
                                        std::string_view beside, std::string_view sealed,
                                        std::string_view tag);

}  // namespace leat
