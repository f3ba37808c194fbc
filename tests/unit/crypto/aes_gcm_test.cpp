#include "crypto/aes_gcm.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace leat {
namespace {

std::string from_hex(const std::string& text) {
  std::string out;
  for (size_t at = 0; hex_byte(text, at) >= 0; at += 2)
    out += static_cast<char>(hex_byte(text, at));
  return out;
}

// Test case 16 of "The Galois/Counter Mode of Operation" by McGrew and Viega.
class AesGcm : public ::testing::Test {
 protected:
  const std::string key_ =
      from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::string nonce_ = from_hex("cafebabefacedbaddecaf888");
  const std::string beside_ = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const std::string text_ = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
      "a6b525b16aedf5aa0de657ba637b39");
  const std::string sealed_ = from_hex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056"
      "828838c5f61e6393ba7a0abcc9f662");
  const std::string tag_ = from_hex("76fc6ece0f4e1768cddf8853bb2d551b");
};

TEST_F(AesGcm, seals_and_opens_as_its_authors_say) {
  EXPECT_EQ(aes_gcm_seal(key_, nonce_, beside_, text_), sealed_ + tag_);
  EXPECT_EQ(aes_gcm_open(key_, nonce_, beside_, sealed_, tag_), text_);
}

TEST_F(AesGcm, opens_nothing_that_was_changed) {
  const auto changed = [](std::string text) {
    text.back() = static_cast<char>(text.back() ^ 1);
    return text;
  };
  EXPECT_FALSE(aes_gcm_open(changed(key_), nonce_, beside_, sealed_, tag_));
  EXPECT_FALSE(aes_gcm_open(key_, changed(nonce_), beside_, sealed_, tag_));
  EXPECT_FALSE(aes_gcm_open(key_, nonce_, changed(beside_), sealed_, tag_));
  EXPECT_FALSE(aes_gcm_open(key_, nonce_, beside_, changed(sealed_), tag_));
  EXPECT_FALSE(aes_gcm_open(key_, nonce_, beside_, sealed_, changed(tag_)));
}

TEST_F(AesGcm, takes_no_other_sizes) {
  EXPECT_FALSE(aes_gcm_open(key_.substr(1), nonce_, beside_, sealed_, tag_));
  EXPECT_FALSE(aes_gcm_open(key_, nonce_ + "x", beside_, sealed_, tag_));
  EXPECT_FALSE(aes_gcm_open(key_, nonce_, beside_, sealed_, tag_.substr(0, 4)))
      << "of a short tag one in so many is right by chance";
}

}  // namespace
}  // namespace leat
