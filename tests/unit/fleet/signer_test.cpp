#include "fleet/signer.h"

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include "support/temp_dir.h"

namespace leat::fleet {
namespace {

// The private key of RFC 7515 appendix A.3 in PEM, and its public half.
constexpr const char* kPrivate = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----
)";

class SignerTest : public ::testing::Test {
 protected:
  std::string file(const std::string& content) {
    testing::write_file(folder_ / "key", content);
    return folder_ / "key";
  }

  testing::TempDir folder_;
};

// The value is that of Python's hmac and base64.
TEST_F(SignerTest, a_secret_signs_as_rfc_7515_says) {
  Result<Signer> signer = Signer::of_file(file("0123456789abcdef0123456789abcdef\n"), "ops");
  ASSERT_TRUE(signer);
  EXPECT_EQ(*signer->sign(R"({"aud":"gw"})"),
            "eyJhbGciOiJIUzI1NiIsImtpZCI6Im9wcyJ9.eyJhdWQiOiJndyJ9."
            "AO5xVqW2sJ9UinknRSPcd3i4Mk5PQ3DBCEUMWWFcTgI");
}

TEST_F(SignerTest, an_ec_key_signs_what_its_public_half_verifies) {
  Result<Signer> signer = Signer::of_file(file(kPrivate), "fleet");
  ASSERT_TRUE(signer) << signer.error().message();
  const std::string text = *signer->sign(R"({"aud":"gw"})");
  const std::string head = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImZsZWV0In0.eyJhdWQiOiJndyJ9.";
  ASSERT_TRUE(text.starts_with(head)) << text;
  std::string encoded = text.substr(head.size());
  EXPECT_EQ(encoded.size(), 86u);  // 64 bytes
  for (char& c : encoded) c = c == '-' ? '+' : c == '_' ? '/' : c;
  encoded += "==";
  unsigned char raw[66];
  ASSERT_EQ(EVP_DecodeBlock(raw, reinterpret_cast<const unsigned char*>(encoded.data()), 88), 66);
  ECDSA_SIG* parts = ECDSA_SIG_new();
  ECDSA_SIG_set0(parts, BN_bin2bn(raw, 32, nullptr), BN_bin2bn(raw + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts, &der);
  BIO* pem = BIO_new_mem_buf(kPrivate, -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(pem, nullptr, nullptr, nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
  EXPECT_EQ(EVP_DigestVerify(context, der, static_cast<size_t>(size),
                             reinterpret_cast<const unsigned char*>(head.data()), head.size() - 1),
            1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(pem);
  OPENSSL_free(der);
  ECDSA_SIG_free(parts);
}

TEST_F(SignerTest, what_is_no_such_key_is_refused) {
  EXPECT_FALSE(Signer::of_file(file("short"), "ops"));
  EXPECT_FALSE(Signer::of_file(file("-----BEGIN EC PRIVATE KEY-----\nnonsense\n"), "ops"));
  EXPECT_FALSE(Signer::of_file("/nonexistent/key", "ops"));
}

}  // namespace
}  // namespace leat::fleet
