#include <gtest/gtest.h>

#include "net/pki.h"
#include "net/tls.h"
#include "options/problems.h"
#include "support/temp_dir.h"

namespace leat::testing {
namespace {

class TlsContextTest : public ::testing::Test {
 protected:
  std::string open() {
    auto context = TlsContext::open(options_, "line-1");
    if (context) return "ok";
    EXPECT_EQ(context.error().kind(), ErrorKind::kUsage);
    return context.error().message();
  }

  TempDir folder_;
  Authority authority_{folder_.path(), "ca"};
  Options options_{kTlsOptions, "sink.tls"};
};

TEST_F(TlsContextTest, reads_an_authority_and_a_client_certificate) {
  KeyAndCertificate client = authority_.issue({.common_name = "gw-042"});
  options_.set("ca", authority_.certificate());
  options_.set("cert", client.certificate);
  options_.set("key", client.key);
  EXPECT_EQ(open(), "ok");
}

TEST_F(TlsContextTest, needs_no_authorities_when_it_does_not_verify) {
  options_.set("verify", false);
  EXPECT_EQ(open(), "ok");
}

TEST_F(TlsContextTest, names_the_option_and_the_file_that_is_missing) {
  std::string path = folder_ / "missing.pem";
  options_.set("ca", path);
  EXPECT_EQ(open(), "sink.tls.ca: open " + path + ": no such file or directory");
}

TEST_F(TlsContextTest, says_that_a_file_is_not_pem) {
  write_file(folder_ / "text.pem", "this is no certificate\n");
  options_.set("ca", folder_ / "text.pem");
  EXPECT_EQ(open(), "sink.tls.ca: " + (folder_ / "text.pem") +
                        ": nothing in PEM format that can be used was found in it");
}

TEST_F(TlsContextTest, says_that_a_key_is_encrypted) {
  KeyAndCertificate client = authority_.issue({.common_name = "gw-042"});
  options_.set("ca", authority_.certificate());
  options_.set("cert", client.certificate);
  options_.set("key", folder_ / "encrypted.key");
  for (const char* text :
       {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
        "DES-EDE3-CBC,0123456789ABCDEF\n\nMIGj\n-----END EC PRIVATE KEY-----\n"}) {
    write_file(folder_ / "encrypted.key", text);
    EXPECT_EQ(open(), "sink.tls.key: " + (folder_ / "encrypted.key") +
                          ": the key is encrypted: store it without a password");
  }
}

TEST_F(TlsContextTest, says_that_ed25519_is_not_supported) {
  const std::string certificate = folder_ / "ed25519.pem";
  const std::string key = folder_ / "ed25519.key";
  write_file(certificate,
             "-----BEGIN CERTIFICATE-----\n"
             "MIIBOjCB7aADAgECAhRslQVO9j2ZG9ek8hwmZgfSz9GR4jAFBgMrZXAwEjEQMA4G\n"
             "A1UEAwwHZWQyNTUxOTAgFw0yNjExMjUxNzMzMzZaGA8yMTI2MTEwMTE3MzMzNlow\n"
             "EjEQMA4GA1UEAwwHZWQyNTUxOTAqMAUGAytlcAMhAIJKKFrU352QVrJEbrn59gh9\n"
             "xv975/hmeUoKUP31Fla7o1MwUTAdBgNVHQ4EFgQU5N2YKZmRFXii2i44Yx/oBt8F\n"
             "xfEwHwYDVR0jBBgwFoAU5N2YKZmRFXii2i44Yx/oBt8FxfEwDwYDVR0TAQH/BAUw\n"
             "AwEB/zAFBgMrZXADQQAkbheM6z8duzGwDVZ/418LSmMlCCQ1C4WXl3j8HqyFd39j\n"
             "Lp3tahwwUYn1c69DR71NaUR0a8fsrw9JI+kQP5wE\n"
             "-----END CERTIFICATE-----\n");
  write_file(key,
             "-----BEGIN PRIVATE KEY-----\n"
             "MC4CAQAwBQYDK2VwBCIEIAVgcm5yrcvVgJ8ljdXGJEEcWxfNKdlPMwMY6v/qSuJa\n"
             "-----END PRIVATE KEY-----\n");
  const std::string words = ": its algorithm is not supported (RSA and ECDSA are, Ed25519 is not)";
  options_.set("ca", certificate);
  EXPECT_EQ(open(), "sink.tls.ca: " + certificate + words);
  options_.set("ca", authority_.certificate());
  options_.set("cert", authority_.issue({.common_name = "gw-042"}).certificate);
  options_.set("key", key);
  EXPECT_EQ(open(), "sink.tls.key: " + key + words);
}

TEST_F(TlsContextTest, wants_certificate_and_key_together) {
  options_.set("ca", authority_.certificate());
  options_.set("cert", authority_.certificate());
  EXPECT_EQ(open(), "sink.tls: \"cert\" and \"key\" belong together, and \"key\" is missing");
}

TEST_F(TlsContextTest, notices_a_key_of_another_certificate) {
  KeyAndCertificate one = authority_.issue({.common_name = "one"});
  KeyAndCertificate two = authority_.issue({.common_name = "two"});
  options_.set("ca", authority_.certificate());
  options_.set("cert", one.certificate);
  options_.set("key", two.key);
  EXPECT_EQ(open(),
            "sink.tls.key: " + two.key + " is not the key of the certificate " + one.certificate);
}

// What `check` does: all that is wrong at once, as problems that have a place.
TEST_F(TlsContextTest, a_check_says_all_that_is_wrong_with_the_files) {
  options_.set("ca", folder_ / "ca.pem");
  options_.set("cert", folder_.path());
  options_.set("key", folder_ / "text.pem");
  write_file(folder_ / "text.pem", "this is no key\n");
  Status files = TlsContext::check(options_);
  ASSERT_FALSE(files);
  ASSERT_NE(files.error().problems(), nullptr);
  std::vector<std::string> paths;
  for (const Problem& problem : files.error().problems()->all()) paths.push_back(problem.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"sink.tls.ca", "sink.tls.cert", "sink.tls.key"}));
  EXPECT_EQ(open(), "sink.tls.ca: open " + (folder_ / "ca.pem") + ": no such file or directory")
      << "one line, where there is no room for more";
}

TEST_F(TlsContextTest, a_check_takes_what_can_be_opened) {
  KeyAndCertificate one = authority_.issue({.common_name = "one"});
  KeyAndCertificate two = authority_.issue({.common_name = "two"});
  EXPECT_TRUE(TlsContext::check(options_)) << "nothing is named";
  options_.set("ca", authority_.certificate());
  options_.set("cert", one.certificate);
  options_.set("key", one.key);
  EXPECT_TRUE(TlsContext::check(options_));
  options_.set("key", two.key);
  Status other = TlsContext::check(options_);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().problems()->all().front().path, "sink.tls.key");
}

}  // namespace
}  // namespace leat::testing
