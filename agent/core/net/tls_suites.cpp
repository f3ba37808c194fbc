#include "net/tls_suites.h"

#include <gcm_stretch.h>
#include <mbedtls/ssl.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace leat {
namespace {

// The shorter key is faster, and long enough. Suites whose keys are not fresh stay behind.
int place_of(int suite) {
  const std::string_view name = mbedtls_ssl_get_ciphersuite_name(suite);
  if (name.starts_with("TLS-RSA-")) return 2;
  if (name.find("AES-128-GCM") != name.npos) return 0;
  return name.find("AES-256-GCM") != name.npos ? 1 : 2;
}

std::vector<int> aes_gcm_first(const int* suites) {
  std::vector<int> ordered;
  while (*suites != 0) ordered.push_back(*suites++);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](int a, int b) { return place_of(a) < place_of(b); });
  ordered.push_back(0);
  return ordered;
}

}  // namespace

// mbedTLS begins with ChaCha20, which is the faster one, by far, where AES has no instructions.
const int* tls_suites() {
  if (gcm_has_instructions() == 0) return mbedtls_ssl_list_ciphersuites();
  static const std::vector<int> suites = aes_gcm_first(mbedtls_ssl_list_ciphersuites());
  return suites.data();
}

}  // namespace leat
