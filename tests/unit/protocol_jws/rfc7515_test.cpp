// The examples of RFC 7515, appendix A.
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "base/text.h"
#include "protocols/jws/jws.h"

namespace leat::jws {
namespace {

const std::string kPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
const std::string kText =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

TEST(Rfc7515, appendix_a_1_is_verified_with_hs256) {
  const std::string sent = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kPayload +
                           ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  Result<Key> key = Key::secret(
      from_base64url(
          "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZ"
          "r1Z9CAow")
          .value());
  ASSERT_TRUE(key);
  std::optional<Message> message = parse(sent);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->algorithm, Algorithm::kHs256);
  EXPECT_TRUE(message->is_by(*key));
  EXPECT_EQ(message->decoded(), kText);
  EXPECT_EQ(message->key_id, "");
}

TEST(Rfc7515, appendix_a_3_is_verified_with_es256) {
  const std::string sent =
      "eyJhbGciOiJFUzI1NiJ9." + kPayload +
      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  // The key as SubjectPublicKeyInfo: what always stands before it, x and y.
  const std::string key_info =
      from_base64url("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE").value() +
      from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value() +
      from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value();
  Result<Key> key = Key::es256("-----BEGIN PUBLIC KEY-----\n" + base64(key_info) +
                               "\n-----END PUBLIC KEY-----\n");
  ASSERT_TRUE(key) << key.error().message();
  std::optional<Message> message = parse(sent);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->algorithm, Algorithm::kEs256);
  EXPECT_TRUE(message->is_by(*key));
  EXPECT_EQ(message->decoded(), kText);
}

// RFC 8725 section 3.1: or the secret is one that everybody knows.
TEST(Rfc7515, appendix_a_5_which_nobody_has_signed_is_none) {
  EXPECT_FALSE(parse("eyJhbGciOiJub25lIn0." + kPayload + "."));
}

}  // namespace
}  // namespace leat::jws
