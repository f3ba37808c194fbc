#include "crypto/aes_gcm.h"

#include <mbedtls/gcm.h>

#include "crypto/octets.h"

namespace leat {
namespace {

struct Gcm {
  explicit Gcm(std::string_view key) {
    mbedtls_gcm_init(&context);
    good = key.size() == kAesKeySize &&
           mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, octets(key), kAesKeySize * 8) == 0;
  }
  ~Gcm() { mbedtls_gcm_free(&context); }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;
  mbedtls_gcm_context context = {};
  bool good = false;
};

}  // namespace

std::optional<std::string> aes_gcm_seal(std::string_view key, std::string_view nonce,
                                        std::string_view beside, std::string_view text) {
  Gcm gcm(key);
  std::string out(text.size() + kGcmTagSize, '\0');
  if (!gcm.good || nonce.size() != kGcmNonceSize ||
      mbedtls_gcm_crypt_and_tag(&gcm.context, MBEDTLS_GCM_ENCRYPT, text.size(), octets(nonce),
                                nonce.size(), octets(beside), beside.size(), octets(text),
                                octets(out), kGcmTagSize, octets(out) + text.size()) != 0)
    return std::nullopt;
  return out;
}

std::optional<std::string> aes_gcm_open(std::string_view key, std::string_view nonce,
                                        std::string_view beside, std::string_view sealed,
                                        std::string_view tag) {
  Gcm gcm(key);
  std::string out(sealed.size(), '\0');
  if (!gcm.good || nonce.size() != kGcmNonceSize || tag.size() != kGcmTagSize ||
      mbedtls_gcm_auth_decrypt(&gcm.context, sealed.size(), octets(nonce), nonce.size(),
                               octets(beside), beside.size(), octets(tag), tag.size(),
                               octets(sealed), octets(out)) != 0)
    return std::nullopt;
  return out;
}

}  // namespace leat
