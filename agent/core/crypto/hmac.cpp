#include "crypto/hmac.h"

#include <mbedtls/md.h>

#include "crypto/octets.h"

namespace leat {

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(kSha256Size, '\0');
  (void)mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), octets(key), key.size(),
                        octets(text), text.size(), octets(out));
  return out;
}

}  // namespace leat
