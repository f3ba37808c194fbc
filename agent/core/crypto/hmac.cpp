#include "crypto/hmac.h"

#include <mbedtls/md.h>

namespace leat {
namespace {

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(kSha256Size, '\0');
  (void)mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), bytes(key), key.size(),
                        bytes(text), text.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

}  // namespace leat
