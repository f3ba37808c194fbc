#include "protocols/jws/jwe.h"

#include <gtest/gtest.h>

#include "base/base64url.h"

namespace leat::jwe {
namespace {

// The keys of RFC 7518 appendix C.
constexpr const char* kBob =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVEmDZpDXXK8p8N0C\n"
    "ndsxs924q6nS1RXFASRl6BfUqdyhRANCAATB40nLYexwJIzoAQNMODThuI6+EWHL\n"
    "Ja84dB94X8/ExHvJZwjvgJUrU/jSVV/nK4Qe0EWIYosdN4pZSTlQDsnJ\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kAliceX = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0";
constexpr const char* kAliceY = "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps";

// Made with python3-cryptography: by Alice, with apu "Alice" and apv "Bob".
constexpr const char* kFromAlice =
    "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImFwdSI6IlFXeHBZMlUiLCJhcHYiOiJRbTlpIiwiZXBrIjp7Im"
    "t0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiZ0kwR0FJTEJkdTdUNTNha3JGbU15R2NzRjNuNWRPN01td05CSEtXNVNW"
    "MCIsInkiOiJTTFdfeFNmZnpsUFdySEVWSTMwREhNXzRlZ1Z3dDNOUXFlVUQ3bk1GcHBzIn19..AAECAwQFBgcICQoL.6Di"
    "_VryKLMWLCkCIP5u9OoY84A.60rCdFc8E-pgnRyGNXN7ag";

P256Key bob() {
  return P256Key::from_pem(kBob).value();
}

std::string opened(const std::string& compact) {
  Result<std::string> text = open(bob(), compact);
  return text ? *text : "error: " + text.error().message();
}

// With another header in the place of that of a good one.
std::string with_header(const std::string& header) {
  const std::string good = seal(bob(), "x").value();
  return to_base64url(header) + good.substr(good.find('.'));
}

std::string header(const std::string& key, const std::string& more = "") {
  return R"({"alg":"ECDH-ES","enc":"A256GCM","epk":)" + key + more + "}";
}

TEST(Jwe, derives_the_key_of_the_rfc) {
  Result<P256Key> alice =
      P256Key::from_point(from_base64url(kAliceX).value(), from_base64url(kAliceY).value());
  ASSERT_TRUE(alice);
  const Result<std::string> agreed = bob().agree(*alice);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(to_base64url(*agreed), "nlbZHYFxNdNyg0KDv4QmnPsxbqPagGpI9tqneYz-kMQ");
  EXPECT_EQ(to_base64url(derived_key(*agreed, "A128GCM", "Alice", "Bob", 128)),
            "VqqN6vgjbSBcIijNcacQGg");
}

TEST(Jwe, opens_what_another_library_has_sealed) {
  EXPECT_EQ(opened(kFromAlice), "s3cret für \"press\"");
}

TEST(Jwe, opens_what_it_has_sealed_and_never_seals_alike) {
  for (const std::string& text : {std::string("secret"), std::string(), std::string("\0\xff\n", 3)})
    EXPECT_EQ(opened(seal(bob(), text).value()), text);
  EXPECT_NE(seal(bob(), "secret").value(), seal(bob(), "secret").value());
}

TEST(Jwe, nobody_else_opens_it_and_nothing_of_it_can_be_changed) {
  const std::string sealed = seal(bob(), "secret").value();
  const Result<std::string> by_another = open(P256Key::make().value(), sealed);
  ASSERT_FALSE(by_another);
  EXPECT_EQ(by_another.error().message(), "was sealed to another key, or has been changed since");
  for (size_t at = 0; at < sealed.size(); at += 7) {
    std::string changed = sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(opened(changed).substr(0, 7), "error: ") << at;
  }
  const P256Key half = P256Key::from_pem(bob().public_pem()).value();
  EXPECT_FALSE(open(half, sealed)) << "the public half only seals";
}

TEST(Jwe, takes_no_other_form) {
  const std::string five =
      "error: is no sealed secret: it must have five parts, with dots between "
      "them";
  EXPECT_EQ(opened(""), five + ", of which the second is empty");
  EXPECT_EQ(opened("a.b.c"), five + ", of which the second is empty");
  EXPECT_EQ(opened("a.b.c.d.e"), five + ", of which the second is empty");
  EXPECT_EQ(opened("a..c.d.e.f"), five);
  EXPECT_EQ(opened("!..c.d.e"), "error: is no sealed secret: a part of it is not base64url");
  EXPECT_EQ(opened("a..b.c." + std::string(kLongest, 'A')),
            "error: is no sealed secret: it is too long");
  EXPECT_EQ(opened(with_header("x")), "error: is no sealed secret: its header is no JSON object");
}

TEST(Jwe, takes_no_other_algorithm_and_no_point_beside_the_curve) {
  const std::string key = std::string(R"({"kty":"EC","crv":"P-256","x":")") + kAliceX +
                          R"(","y":")" + kAliceY + R"("})";
  const std::string no = "error: is no sealed secret: ";
  EXPECT_EQ(opened(with_header(header(key))),
            "error: was sealed to another key, or has been changed since");
  EXPECT_EQ(opened(with_header(R"({"alg":"dir","enc":"A256GCM"})")),
            no + "its \"alg\" must be \"ECDH-ES\"");
  EXPECT_EQ(opened(with_header(R"({"alg":"ECDH-ES","enc":"A128GCM"})")),
            no + "its \"enc\" must be \"A256GCM\"");
  for (const char* more : {R"(,"crit":["exp"])", R"(,"zip":"DEF")"})
    EXPECT_EQ(opened(with_header(header(key, more))),
              no + "its header has \"crit\" or \"zip\", which this leat does not know");
  EXPECT_EQ(opened(with_header(header(R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})"))),
            no + "its \"epk\" must be a key of P-256");
  std::string beside = key;
  beside.replace(beside.find("SLW_"), 4, "SLW-");
  EXPECT_EQ(opened(with_header(header(beside))), no + "its \"epk\" is no point of P-256");
  const std::string nothing(43, 'A');
  EXPECT_EQ(opened(with_header(header(R"({"kty":"EC","crv":"P-256","x":")" + nothing +
                                      R"(","y":")" + nothing + R"("})"))),
            no + "its \"epk\" is no point of P-256");
}

}  // namespace
}  // namespace leat::jwe
