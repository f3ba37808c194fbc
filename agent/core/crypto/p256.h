// Keys of the curve P-256: ECDSA with SHA-256 (FIPS 186-5), and ECDH (SP 800-56A).
//
// Thread: one at a time. A verification or an agreement takes some ten milliseconds on a small
// board, a signature about a third of that.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct mbedtls_ecp_keypair;

namespace leat {

class P256Key {
 public:
  static constexpr size_t kNumberSize = 32;     // of a coordinate, and of what two agree on
  static constexpr size_t kSignatureSize = 64;  // r and s, 32 bytes each (RFC 7518 section 3.4)

  static Result<P256Key> make();
  // A public key ("BEGIN PUBLIC KEY", RFC 5480), or a private one without a password ("BEGIN
  // PRIVATE KEY", RFC 5208, or "BEGIN EC PRIVATE KEY", RFC 5915). kUsage; the message holds nothing
  // of it.
  static Result<P256Key> from_pem(std::string_view pem);
  // A public one, by its coordinates of kNumberSize. kUsage: there is no such point.
  static Result<P256Key> from_point(std::string_view x, std::string_view y);
  ~P256Key();
  P256Key(P256Key&& other) noexcept;
  P256Key& operator=(P256Key&& other) noexcept;
  P256Key(const P256Key&) = delete;
  P256Key& operator=(const P256Key&) = delete;

  bool is_private() const { return private_; }
  std::string public_pem() const;
  std::string x() const;  // kNumberSize
  std::string y() const;
  std::string private_pem() const;  // is_private()

  bool verify(std::string_view text, std::string_view signature) const;
  // is_private(). The same text has the same signature (RFC 6979): it needs no good random numbers.
  Result<std::string> sign(std::string_view text) const;
  // is_private(). What this one and `peer` have in common, which nobody else can find: kNumberSize.
  Result<std::string> agree(const P256Key& peer) const;

 private:
  P256Key();
  Status take_private(const std::string& pem);
  Status take_public(const std::string& pem);
  std::string point() const;

  std::unique_ptr<mbedtls_ecp_keypair> pair_;
  bool private_ = false;
};

}  // namespace leat
