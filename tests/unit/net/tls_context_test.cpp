#include <gtest/gtest.h>

#include "net/pki.h"
#include "net/tls.h"
#include "sink_harness.h"

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

}  // namespace
}  // namespace leat::testing
