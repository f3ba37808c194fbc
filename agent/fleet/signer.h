// Signs commands for gateways: JSON Web Signatures in the compact serialization (RFC 7515), which
// any backend has a library for; here it is OpenSSL's.
//
// Any thread.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::fleet {

class Signer {
 public:
  // The file holds a private EC key on P-256 in PEM (ES256), or else a secret for HS256, of which a
  // line end behind it is no part. `key_id`: as the gateways' agent.control.keys name it.
  static Result<Signer> of_file(const std::string& path, std::string key_id);

  // `claims`: a JSON object. Fails with kFatal when OpenSSL does.
  Result<std::string> sign(std::string_view claims) const;

 private:
  using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

  explicit Signer(std::string key_id) : key_id_(std::move(key_id)) {}
  // As RFC 7518 wants it (sections 3.2 and 3.4); "" when OpenSSL fails.
  std::string signature(std::string_view text) const;

  std::string key_id_;
  std::string secret_;                  // HS256, else ""
  Key key_ = {nullptr, EVP_PKEY_free};  // ES256, else null
};

}  // namespace leat::fleet
