#include <gtest/gtest.h>

#include "base/hex.h"
#include "crypto/hmac.h"
#include "crypto/random_bytes.h"
#include "crypto/same_secret.h"

namespace leat {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

TEST(Hmac, is_that_of_rfc_4231) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(SameSecret, only_the_same_is) {
  EXPECT_TRUE(same_secret("0123456789abcdef", "0123456789abcdef"));
  for (const char* other : {"", "0", "0123456789abcdeg", "1123456789abcdef", "0123456789abcde",
                            "0123456789abcdef0", "0123456789abcdef0123456789abcdef"})
    EXPECT_FALSE(same_secret("0123456789abcdef", other)) << other;
  EXPECT_FALSE(same_secret("", "0"));
}

TEST(RandomBytes, are_others_each_time) {
  Result<std::string> one = random_bytes(32);
  Result<std::string> other = random_bytes(32);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->size(), 32U);
  EXPECT_NE(*one, *other);
}

}  // namespace
}  // namespace leat
