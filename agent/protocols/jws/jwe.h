// Sealed texts: JSON Web Encryption (RFC 7516) in its compact form, with ECDH-ES on P-256 and
// A256GCM (RFC 7518 sections 4.6 and 5.3). Any backend has a library that makes them. Whoever has
// the public key can seal; only who has the private one can open.
//
//   BASE64URL(header) . . BASE64URL(nonce) . BASE64URL(ciphertext) . BASE64URL(tag)
//
// Thread: one at a time.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/p256.h"

namespace leat::jwe {

inline constexpr size_t kLongest = 64 * 1024;  // bytes of a sealed text

Result<std::string> seal(const P256Key& to, std::string_view text);

// With the private key. kUsage: it has another form or algorithm, or critical extensions, of which
// none is known; or it was sealed to another key, or changed, between which nobody can tell. What
// is in it is in no message.
Result<std::string> open(const P256Key& key, std::string_view compact);

// The key that is derived of what two P-256 keys agree on (RFC 7518 section 4.6.2); at most 256
// bits. For open() and seal(), and for tests.
std::string derived_key(std::string_view agreed, std::string_view algorithm, std::string_view apu,
                        std::string_view apv, size_t bits);

}  // namespace leat::jwe
