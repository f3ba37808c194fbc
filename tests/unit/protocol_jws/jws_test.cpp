#include "protocols/jws/jws.h"

#include <gtest/gtest.h>

#include "base/base64url.h"

namespace leat::jws {
namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";

Key secret(const std::string& text = kSecret) {
  return Key::secret(text).value();
}

std::string with_header(const std::string& header) {
  return to_base64url(header) + "." + to_base64url("{}") + "." + to_base64url("x");
}

TEST(Jws, what_is_signed_is_verified_with_the_same_key_only) {
  const Key pair(P256Key::make().value());
  const Key hmac = secret();
  for (const Key* key : {&pair, &hmac}) {
    const Key& by = *key;
    Result<std::string> sent = sign(by, "ops", "{\"a\":1}");
    ASSERT_TRUE(sent);
    std::optional<Message> message = parse(*sent);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->key_id, "ops");
    EXPECT_TRUE(message->is_by(by));
    EXPECT_EQ(message->decoded(), "{\"a\":1}");
    EXPECT_FALSE(message->is_by(secret("another secret, which is as long")));
    EXPECT_FALSE(message->is_by(Key(P256Key::make().value())));
  }
}

// With the public key, which everybody may know, as the secret of an HMAC (RFC 8725 section 2.1).
TEST(Jws, a_public_key_is_no_secret) {
  P256Key pair = P256Key::make().value();
  const std::string pem = pair.public_pem();
  Result<std::string> sent = sign(secret(pem), "fleet", "{}");
  ASSERT_TRUE(sent);
  std::optional<Message> message = parse(*sent);
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->is_by(Key::es256(pem).value()));
}

TEST(Jws, each_changed_character_is_seen) {
  const Key key = secret();
  const std::string sent = sign(key, "ops", "{\"command\":\"ping\"}").value();
  for (size_t at = 0; at < sent.size(); ++at) {
    for (char other : {'A', 'w', '.', '=', '\0'}) {
      if (sent[at] == other) continue;
      std::string changed = sent;
      changed[at] = other;
      std::optional<Message> message = parse(changed);
      EXPECT_FALSE(message && message->is_by(key)) << at << " " << other;
    }
    std::optional<Message> cut = parse(std::string_view(sent).substr(0, at));
    EXPECT_FALSE(cut && cut->is_by(key)) << at;
  }
  const std::string longer = sent + "A";
  std::optional<Message> message = parse(longer);
  EXPECT_FALSE(message && message->is_by(key));
}

TEST(Jws, another_form_is_refused) {
  for (const std::string& text :
       {std::string(),
        std::string("."),
        std::string(".."),
        std::string("a.b"),
        std::string("ping"),
        std::string("{\"command\":\"ping\"}"),
        with_header("{\"alg\":\"HS256\"") /* no object */,
        with_header("[]"),
        with_header("{\"alg\":\"HS384\",\"kid\":\"a\"}"),
        with_header("{\"alg\":\"none\"}"),
        with_header("{\"alg\":\"hs256\"}"),
        with_header("{\"alg\":[\"HS256\"]}"),
        with_header("{\"ALG\":\"HS256\"}"),
        with_header("{\"alg\":\"HS256\",\"alg\":\"ES256\"}"),
        with_header("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}"),
        with_header("{\"alg\":\"HS256\"}x"),
        with_header("{\"alg\":\"HS256\",\"kid\":\"a\\u0000b\"}"),
        with_header("{\"alg\":\"HS256\",\"x\":\"" + std::string(kLongestHeader, 'x') + "\"}"),
        with_header("{\"alg\":\"HS256\"}") + ".",
        "." + with_header("{\"alg\":\"HS256\"}"),
        with_header("{\"alg\":\"HS256\"}") + std::string(100, 'A')})
    EXPECT_FALSE(parse(text)) << text;
  EXPECT_TRUE(parse(with_header("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"other\":[1]}")));
}

TEST(Jws, a_secret_that_could_be_guessed_is_none) {
  EXPECT_FALSE(Key::secret("0123456789abcdef0123456789abcde"));
  EXPECT_FALSE(Key::secret(""));
}

TEST(Jws, a_public_key_signs_nothing) {
  const Key key = Key::es256(P256Key::make().value().public_pem()).value();
  Result<std::string> sent = sign(key, "fleet", "{}");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind(), ErrorKind::kUsage);
}

}  // namespace
}  // namespace leat::jws
