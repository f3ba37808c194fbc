#include "net/tls_suites.h"

#include <gtest/gtest.h>
#include <mbedtls/ssl.h>

#include <algorithm>
#include <string>
#include <vector>

namespace leat {
namespace {

std::vector<std::string> names_of(const int* suites) {
  std::vector<std::string> names;
  while (*suites != 0) names.emplace_back(mbedtls_ssl_get_ciphersuite_name(*suites++));
  return names;
}

TEST(TlsSuites, aes_gcm_comes_first_the_shorter_key_before_the_longer) {
  const std::vector<std::string> suites = names_of(aes_gcm_first());
  auto place = [&suites](const char* name) {
    auto found = std::find(suites.begin(), suites.end(), name);
    EXPECT_NE(found, suites.end()) << name;
    return found - suites.begin();
  };
  EXPECT_EQ(suites.front(), "TLS1-3-AES-128-GCM-SHA256");
  EXPECT_LT(place("TLS1-3-AES-256-GCM-SHA384"), place("TLS1-3-CHACHA20-POLY1305-SHA256"));
  EXPECT_LT(place("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256"),
            place("TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384"));
  EXPECT_LT(place("TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384"),
            place("TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256"));
  EXPECT_LT(place("TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256"),
            place("TLS-RSA-WITH-AES-128-GCM-SHA256"))
      << "whose keys are not fresh";
}

TEST(TlsSuites, are_all_that_mbedtls_has) {
  std::vector<std::string> suites = names_of(aes_gcm_first());
  std::vector<std::string> all = names_of(mbedtls_ssl_list_ciphersuites());
  std::sort(suites.begin(), suites.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(suites, all);
}

}  // namespace
}  // namespace leat
