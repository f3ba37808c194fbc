#include "crypto/p256.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

// Made by `openssl ecparam -name prime256v1 -genkey -noout`, `openssl pkcs8 -topk8 -nocrypt`,
// `openssl ec -pubout`.
constexpr const char* kSec1 =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIKNnxGSoIZYL5ZAzJPvVURxfayOFdFA2JPz7qc9HevUEoAoGCCqGSM49\n"
    "AwEHoUQDQgAEoiX9foRyunQOuhnzEEdJR7uWH+KtpK8wX2ABzBSj71mU0eyzE8X5\n"
    "TSOLiYhzuYouP4df9iYQeTItBWA7xOX4QA==\n"
    "-----END EC PRIVATE KEY-----\n";
constexpr const char* kPkcs8 =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgo2fEZKghlgvlkDMk\n"
    "+9VRHF9rI4V0UDYk/Pupz0d69QShRANCAASiJf1+hHK6dA66GfMQR0lHu5Yf4q2k\n"
    "rzBfYAHMFKPvWZTR7LMTxflNI4uJiHO5ii4/h1/2JhB5Mi0FYDvE5fhA\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoiX9foRyunQOuhnzEEdJR7uWH+Kt\n"
    "pK8wX2ABzBSj71mU0eyzE8X5TSOLiYhzuYouP4df9iYQeTItBWA7xOX4QA==\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kP384 =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEy9mu1RWmC8qOYlOs+79IvWoeDFWQLLmM\n"
    "wRxrgs/B07p02LNmNh93ReDgjm5S3LXO4AxSCYGv4VCra0oWm92ZaD/wyCqlhb0T\n"
    "oEGzZ82LmD0qks5uHyfqPbViay/9raKN\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kP384Private =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDBCHvGB7t3W+7+NJBCxIDU6TpjMyclI0ahu5+IfOXKluy3L6JBJ5FKS\n"
    "Ba5cHQl0ANCgBwYFK4EEACKhZANiAATL2a7VFaYLyo5iU6z7v0i9ah4MVZAsuYzB\n"
    "HGuCz8HTunTYs2Y2H3dF4OCOblLctc7gDFIJga/hUKtrShab3ZloP/DIKqWFvROg\n"
    "QbNnzYuYPSqSzm4fJ+o9tWJrL/2too0=\n"
    "-----END EC PRIVATE KEY-----\n";
constexpr const char* kEncrypted =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg9Gu0nR4evhgICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELKwkDAKmLA2a6EpaLvLoygEgZAf\n"
    "bYiBa23CQtQxe0nQ7n7NwWjLWofqb4CJJwEWIxmSPjzgC8/PzzW8GcvUjXqY62MJ\n"
    "dNHIPm46GiIE68AWFJ61aERDF0ZJC+BO1FMwIs2TihnxGeV/tyYfMirovcepVqCM\n"
    "LMZ+aJIMt95OvUy1MAUCEF3rD4iKTyo6hnJHqgtz0hq6atqBI1y0t/IKgXfzeTU=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

TEST(P256, reads_the_keys_that_openssl_writes) {
  Result<P256Key> old_form = P256Key::from_pem(kSec1);
  Result<P256Key> new_form = P256Key::from_pem(kPkcs8);
  Result<P256Key> open_half = P256Key::from_pem(kPublic);
  ASSERT_TRUE(old_form && new_form && open_half);
  EXPECT_TRUE(old_form->is_private());
  EXPECT_TRUE(new_form->is_private());
  EXPECT_FALSE(open_half->is_private());
  EXPECT_EQ(old_form->public_pem(), kPublic);
  EXPECT_EQ(new_form->public_pem(), kPublic);
  EXPECT_EQ(open_half->public_pem(), kPublic);
}

TEST(P256, what_a_private_key_signs_its_public_half_verifies) {
  Result<P256Key> key = P256Key::from_pem(kPkcs8);
  Result<P256Key> half = P256Key::from_pem(kPublic);
  ASSERT_TRUE(key && half);
  Result<std::string> signature = key->sign("a command");
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->size(), P256Key::kSignatureSize);
  EXPECT_TRUE(half->verify("a command", *signature));
  EXPECT_TRUE(key->verify("a command", *signature));
  EXPECT_FALSE(half->verify("a commane", *signature));
  EXPECT_FALSE(half->verify("a command", signature->substr(1)));
  for (size_t at = 0; at < signature->size(); at += 7) {
    std::string other = *signature;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_FALSE(half->verify("a command", other)) << at;
  }
}

// As psychic signatures were, CVE-2022-21449.
TEST(P256, a_signature_of_zeroes_is_none) {
  Result<P256Key> half = P256Key::from_pem(kPublic);
  ASSERT_TRUE(half);
  EXPECT_FALSE(half->verify("", std::string(P256Key::kSignatureSize, '\0')));
  EXPECT_FALSE(half->verify("x", std::string(P256Key::kSignatureSize, '\xFF')));
}

TEST(P256, a_key_that_it_makes_is_written_and_read_again) {
  Result<P256Key> made = P256Key::make();
  ASSERT_TRUE(made);
  Result<P256Key> again = P256Key::from_pem(made->private_pem());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->public_pem(), made->public_pem());
  EXPECT_EQ(again->private_pem(), made->private_pem());
  Result<P256Key> another = P256Key::make();
  ASSERT_TRUE(another);
  EXPECT_NE(another->public_pem(), made->public_pem());
}

TEST(P256, says_what_is_no_key_of_this_curve_and_shows_nothing_of_it) {
  for (const std::string& text :
       {std::string(), std::string("secret"), std::string(kPublic).substr(0, 60),
        std::string(kP384), std::string(kP384Private), std::string(kEncrypted),
        std::string("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")}) {
    Result<P256Key> key = P256Key::from_pem(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().kind(), ErrorKind::kUsage);
    EXPECT_EQ(key.error().message().find("secret"), std::string::npos) << key.error().message();
  }
}

}  // namespace
}  // namespace leat
