#include "net/tls_suites.h"

#include <mbedtls/ssl.h>

#include <string_view>
#include <vector>

namespace leat {
namespace {

// The shorter key is the faster one, and long enough. Suites whose keys are not fresh stay behind.
int place_of(int suite) {
  const std::string_view name = mbedtls_ssl_get_ciphersuite_name(suite);
  if (name.starts_with("TLS-RSA-")) return 2;
  if (name.find("AES-128-GCM") != name.npos) return 0;
  return name.find("AES-256-GCM") != name.npos ? 1 : 2;
}

std::vector<int> by_place(const int* suites) {
  std::vector<int> ordered;
  for (int place = 0; place <= 2; ++place)
    for (const int* suite = suites; *suite != 0; ++suite)
      if (place_of(*suite) == place) ordered.push_back(*suite);
  ordered.push_back(0);
  return ordered;
}

}  // namespace

const int* aes_gcm_first() {
  static const std::vector<int> suites = by_place(mbedtls_ssl_list_ciphersuites());
  return suites.data();
}

}  // namespace leat
