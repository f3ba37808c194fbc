// Signed messages: JSON Web Signature (RFC 7515) in its compact form, with HS256 and ES256 (RFC
// 7518). Any backend has a library that makes them.
//
//   BASE64URL(header) . BASE64URL(payload) . BASE64URL(signature)
//
// Nothing but the header is looked at before the signature is known to be good, and of that only
// which key it names. Which algorithm a key is for is the key's to say, not the message's.
//
// Thread: one at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "crypto/p256.h"

namespace leat::jws {

enum class Algorithm { kHs256, kEs256 };

// "HS256", "ES256"
std::string_view name_of(Algorithm algorithm);
std::optional<Algorithm> algorithm_named(std::string_view name);

// What signs or verifies.
class Key {
 public:
  static constexpr size_t kLeastSecret = 32;  // RFC 7518 section 3.2

  // kUsage: too short to be safe.
  static Result<Key> secret(std::string bytes);
  // A public or private key in PEM format. kUsage.
  static Result<Key> es256(std::string_view pem);
  explicit Key(P256Key key) : key_(std::move(key)) {}

  Algorithm algorithm() const;
  bool verify(std::string_view text, std::string_view signature) const;
  Result<std::string> sign(std::string_view text) const;

 private:
  explicit Key(std::string secret) : key_(std::move(secret)) {}

  std::variant<std::string, P256Key> key_;
};

// A message that has the form of one. Views into it, which must outlive this; nothing is verified.
struct Message {
  std::string key_id;  // `kid`; "" without one
  Algorithm algorithm = Algorithm::kHs256;
  std::string_view signed_text;  // header and payload as they were sent
  std::string_view payload;      // base64url
  std::string signature;

  // Whether `key` has signed it, and is for this algorithm.
  bool is_by(const Key& key) const;
  // After is_by(). Nullopt: it is not base64url.
  std::optional<std::string> decoded() const;
};

constexpr size_t kLongestHeader = 1024;  // as base64url

// Nullopt: it has another form, more than kLongestHeader of header, another algorithm ("none"),
// or critical extensions (`crit`), of which none is known. Other members of the header are
// passed over, as RFC 7515 wants it.
std::optional<Message> parse(std::string_view compact);

// With {"alg":…,"kid":KEY_ID} as its header. Fails when the key can only verify.
Result<std::string> sign(const Key& key, std::string_view key_id, std::string_view payload);

}  // namespace leat::jws
