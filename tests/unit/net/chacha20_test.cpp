// The ChaCha20 that takes the place of mbedTLS's own (toolchains/chacha20_alt.c).
#include <gtest/gtest.h>
#include <mbedtls/chacha20.h>
#include <mbedtls/chachapoly.h>

#include <algorithm>
#include <array>
#include <string>

#include "net/known_answers.h"

namespace leat {
namespace {

std::string counting_key() {
  std::string key;
  for (char c = 0; c < 32; ++c) key += c;
  return key;
}

// RFC 8439 section 2.3, block by block.
std::string plain_chacha20(const std::string& key, const std::string& nonce, uint32_t counter,
                           std::string text) {
  auto rotated = [](uint32_t x, int left) { return x << left | x >> (32 - left); };
  for (size_t at = 0; at < text.size(); at += 64, ++counter) {
    std::array<uint32_t, 16> first{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    std::copy_n(raw(key), 32, reinterpret_cast<unsigned char*>(&first[4]));
    first[12] = counter;
    std::copy_n(raw(nonce), 12, reinterpret_cast<unsigned char*>(&first[13]));
    std::array<uint32_t, 16> x = first;
    auto quarter = [&x, rotated](size_t a, size_t b, size_t c, size_t d) {
      x[a] += x[b], x[d] = rotated(x[d] ^ x[a], 16);
      x[c] += x[d], x[b] = rotated(x[b] ^ x[c], 12);
      x[a] += x[b], x[d] = rotated(x[d] ^ x[a], 8);
      x[c] += x[d], x[b] = rotated(x[b] ^ x[c], 7);
    };
    for (int round = 0; round < 10; ++round) {
      for (size_t i = 0; i < 4; ++i) quarter(i, 4 + i, 8 + i, 12 + i);
      for (size_t i = 0; i < 4; ++i) quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (size_t i = 0; i < 64 && at + i < text.size(); ++i) {
      const uint32_t word = x[i / 4] + first[i / 4];
      text[at + i] ^= static_cast<char>(word >> (8 * (i % 4)));
    }
  }
  return text;
}

TEST(ChaCha20, gives_what_rfc_8439_gives) {
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const std::string wanted = bytes(
      "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62"
      "b357"
      "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab779"
      "3736"
      "5af90bbf74a35be6b40b8eedf2785e42874d");
  const std::string key = counting_key();
  const std::string nonce = bytes("000000000000004a00000000");
  std::string out(text.size(), '\0');
  ASSERT_EQ(mbedtls_chacha20_crypt(raw(key), raw(nonce), 1, text.size(), raw(text), raw(out)), 0);
  EXPECT_EQ(out, wanted);
  EXPECT_EQ(plain_chacha20(key, nonce, 1, text), wanted) << "what the tests below compare with";
}

TEST(ChaCha20, is_the_same_whatever_the_length_and_wherever_it_is_cut) {
  const std::string key = counting_key();
  const std::string nonce = bytes("000102030405060708090a0b");
  std::string text;
  for (int i = 0; i < 1100; ++i) text += static_cast<char>(i * 31);
  const std::string wanted = plain_chacha20(key, nonce, 0xFFFFFFFE, text);  // the counter goes over
  for (size_t first : {0, 1, 63, 64, 65, 192, 255, 256, 257, 511, 512, 1024}) {
    for (size_t second : {0, 1, 64, 70}) {
      mbedtls_chacha20_context context;
      mbedtls_chacha20_init(&context);
      mbedtls_chacha20_setkey(&context, raw(key));
      mbedtls_chacha20_starts(&context, raw(nonce), 0xFFFFFFFE);
      std::string out = text;  // in place, as TLS does
      size_t at = 0;
      for (size_t size : {first, second, text.size() - first - second}) {
        ASSERT_EQ(mbedtls_chacha20_update(&context, size, raw(out) + at, raw(out) + at), 0);
        at += size;
      }
      mbedtls_chacha20_free(&context);
      EXPECT_EQ(out, wanted) << first << ", " << second;
    }
  }
  for (size_t size = 0; size < 600; ++size) {
    std::string out(size, '\0');
    mbedtls_chacha20_crypt(raw(key), raw(nonce), 0xFFFFFFFE, size, raw(text), raw(out));
    ASSERT_EQ(out, wanted.substr(0, size));
  }
}

// RFC 8439 section 2.8.2.
TEST(ChaCha20, with_poly1305_gives_what_rfc_8439_gives) {
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  std::string key;
  for (int i = 0x80; i < 0xA0; ++i) key += static_cast<char>(i);
  const std::string nonce = bytes("070000004041424344454647");
  const std::string additional = bytes("50515253c0c1c2c3c4c5c6c7");
  mbedtls_chachapoly_context context;
  mbedtls_chachapoly_init(&context);
  ASSERT_EQ(mbedtls_chachapoly_setkey(&context, raw(key)), 0);
  std::string out(text.size(), '\0');
  std::string tag(16, '\0');
  ASSERT_EQ(mbedtls_chachapoly_encrypt_and_tag(&context, text.size(), raw(nonce), raw(additional),
                                               additional.size(), raw(text), raw(out), raw(tag)),
            0);
  mbedtls_chachapoly_free(&context);
  EXPECT_EQ(tag, bytes("1ae10b594f09e26a7e902ecbd0600691"));
  EXPECT_EQ(out.substr(0, 16), bytes("d31a8d34648e60db7b86afbc53ef7ec2"));
}

}  // namespace
}  // namespace leat
