#include "net/tls_suites.h"

#include <gcm_stretch.h>
#include <gtest/gtest.h>
#include <mbedtls/ssl.h>

#include <algorithm>
#include <string>
#include <vector>

namespace leat {
namespace {

std::vector<std::string> names(const int* suites) {
  std::vector<std::string> out;
  while (*suites != 0) out.emplace_back(mbedtls_ssl_get_ciphersuite_name(*suites++));
  return out;
}

TEST(TlsSuites, begin_with_what_is_fast_on_this_processor) {
  const std::vector<std::string> suites = names(tls_suites());
  auto at = [&suites](const char* name) {
    auto found = std::find(suites.begin(), suites.end(), name);
    EXPECT_NE(found, suites.end()) << name;
    return found - suites.begin();
  };
  const char* begins =
      gcm_has_instructions() != 0 ? "TLS1-3-AES-128-GCM-SHA256" : "TLS1-3-CHACHA20-POLY1305-SHA256";
  EXPECT_EQ(suites.front(), begins);
  EXPECT_EQ(at("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256") <
                at("TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256"),
            gcm_has_instructions() != 0);
  EXPECT_LT(at("TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256"),
            at("TLS-RSA-WITH-AES-128-GCM-SHA256"))
      << "whose keys are not fresh";
}

TEST(TlsSuites, are_all_that_mbedtls_has) {
  std::vector<std::string> suites = names(tls_suites());
  std::vector<std::string> all = names(mbedtls_ssl_list_ciphersuites());
  std::sort(suites.begin(), suites.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(suites, all);
}

}  // namespace
}  // namespace leat
