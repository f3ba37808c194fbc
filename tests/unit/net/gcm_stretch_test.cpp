// The AES-GCM of mbedTLS, of which toolchains/gcm_stretch.c does the middle of longer messages.
#include "gcm_stretch.h"

#include <gtest/gtest.h>
#include <mbedtls/gcm.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "net/known_answers.h"

namespace leat {
namespace {

struct KnownAnswer {
  const char* key;
  const char* iv;
  const char* beside;
  const char* text;
  const char* sealed;
  const char* tag;
};

// Of NIST's gcmtestvectors.zip (CAVP, 2012). None of its texts is longer than 51 bytes.
constexpr KnownAnswer kNist[] = {
    // gcmEncryptExtIV128: no text
    {"11754cd72aec309bf52f7687212e8957", "3c819d9a9bed087615030b65", "", "", "",
     "250327c674aaf477aef2675748cf6971"},
    // only what is beside the text
    {"77be63708971c4e240d1cb79e8d77feb", "e0e00f19fed7ba0136a797f3",
     "7a43ec1d9c0a5a78a0b16533a6213cab", "", "", "209fcc8d3675ed938e9c7166709dd946"},
    // one block
    {"7fddb57453c241d03efbed3ac44e371c", "ee283a3fc75575e33efd4887", "",
     "d5de42b461646c255c87bd2962d3b9a2", "2ccda4a5415cb91e135c2a0f78c9b2fd",
     "b36d1df9b9d5e596f83e8b7f52971cb3"},
    // less than a block
    {"fe9bb47deb3a61e423c2231841cfd1fb", "4d328eb776f500a2f7fb47aa", "",
     "f1cc3818e421876bb6b8bbd6c9", "b88c5c1977b35b517b0aeae967",
     "43fd4727fe5cdb4b5b42818dea7ef8c9"},
    // three blocks and a bit
    {"fe47fcce5fc32665d2ae399e4eec72ba", "5adb9609dbaeb58cbd6e7275",
     "88319d6e1d3ffa5f987199166c8a9b56c2aeba5a",
     "7c0e88c88899a779228465074797cd4c2e1498d259b54390b85e3eef1c02df60e743f1b840382c4bccaf3baf"
     "b4ca8429bea063",
     "98f4826f05a265e6dd2be82db241c0fbbbf9ffb1c173aa83964b7cf5393043736365253ddbc5db8778371495"
     "da76d269e5db3e",
     "291ef1982e4defedaa2249f898556b47"},
    // much beside the text
    {"2c1f21cf0f6fb3661943155c3e3d8492", "23cb5ff362e22426984d1907",
     "5d3624879d35e46849953e45a32a624d6a6c536ed9857c613b572b0333e701557a713e3f010ecdf9a6bd6c9e"
     "3e44b065208645aff4aabee611b391528514170084ccf587177f4488f33cfb5e979e42b6e1cfc0a60238982a"
     "7aec",
     "42f758836986954db44bf37c6ef5e4ac0adaf38f27252a1b82d02ea949c8a1a2dbc0d68b5615ba7c1220ff65"
     "10e259f06655d8",
     "81824f0e0d523db30d3da369fdc0d60894c7a0a20646dd015073ad2732bd989b14a222b6ad57af43e1895df9"
     "dca2a5344a62cc",
     "57a3ee28136e94c74838997ae9823f3a"},
    // an IV of a byte, half a tag
    {"d19cfcba59b9a338c46c2408e3a0412b", "ac",
     "c3dedc50a6a11924d095ad22644a09b6047630b46e2a3627ed1d418edeaaaeb08603f1e21d11919d7a3d57ef"
     "5134be9f",
     "41258dfc23f799affb2720f63316394021a6d183e9f37b9973ef79df92896fea0a288e97d6b63740597097ff"
     "f27891a3069400",
     "3072def0c3fb47ff4fc124ab30e76f5903e235b2612148aae67181ef62a736ee6fc147cc703f76dee557eba8"
     "4349f1c5b158be",
     "267a3ba3670ff076"},
    // an IV of 128 bytes
    {"71eebc49c8fb773b2224eaff3ad68714",
     "07e961e67784011f72faafd95b0eb64089c8de15ad685ec57e63d56e679d3e202b18b75fcbbec3185ffc4165"
     "3bc2ac4ae6ae8be8c85636f353a9d19a86100d0bd035cc6bdefcab4318ac7b1a08b819427ad8f6abc782466c"
     "6ebd4d6a0dd76e78389b0a2a66506bb85f038ffc1da220c24f3817c7b2d02c5e8fc5e7e3be5074bc",
     "", "705da82292143d2c949dc4ba014f6396", "032363cf0828a03553478bec0f51f372",
     "c681b2c568feaa21900bc44b86aeb946"},
    // gcmEncryptExtIV256: no text
    {"b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4", "516c33929df5a3284ff463d7",
     "", "", "", "bdc1ac884d332457a1d2664f168c76f0"},
    // less than a block
    {"82c4f12eeec3b2d3d157b0f992d292b237478d2cecc1d5f161389b97f999057a", "7b40b20f5f397177990ef2d1",
     "", "982a296ee1cd7086afad976945", "ec8e05a0471d6b43a59ca5335f",
     "113ddeafc62373cac2f5951bb9165249"},
    // much beside the text
    {"148579a3cbca86d5520d66c0ec71ca5f7e41ba78e56dc6eebd566fed547fe691", "b08a5ea1927499c6ecbfd4e0",
     "e4f963f015ffbb99ee3349bbaf7e8e8e6c2a71c230a48f9d59860a29091d2747e01a5ca572347e247d25f56b"
     "a7ae8e05cde2be3c97931292c02370208ecd097ef692687fecf2f419d3200162a6480a57dad408a0dfeb492e"
     "2c5d",
     "9d0b15fdf1bd595f91f8b3abc0f7dec927dfd4799935a1795d9ce00c9b879434420fe42c275a7cd7b39d638f"
     "b81ca52b49dc41",
     "2097e372950a5e9383c675e89eea1c314f999159f5611344b298cda45e62843716f215f82ee663919c64002a"
     "5c198d7878fd3f",
     "adbecdb0d5c2224d804d2886ff9a5760"},
    // gcmDecrypt256: one block
    {"54e352ea1d84bfe64a1011096111fbe7668ad2203d902a01458c3bbd85bfce14", "df7c3bca00396d0c018495d9",
     "7e968d71b50c1f11fd001f3fef49d045", "85fc3dfad9b5a8d3258e4fc44571bd3b",
     "426e0efc693b7be1f3018db7ddbb7e4d", "ee8257795be6a1164d7e1d2d6cac77a7"},
};

// Of its gcmDecrypt128 and gcmDecrypt256, with FAIL for a text: there, and once without any text.
constexpr KnownAnswer kNistRefuses[] = {
    {"a49a5e26a2f8cb63d05546c2a62f5343", "907763b19b9b4ab6bd4f0281", "", "", "",
     "a2be08210d8c470a8df6e8fbd79ec5cf"},
    {"9a0343f850a6427120f764789ffec6d237447b898fbf51d2182f065d3861497d", "3deef6f453dd70d92143adcd",
     "dbb8226a624520863db6897017b2a4f8", "", "e93165935ac18e3a2845d15fe31a9286",
     "f5fc50d18766bc3d9e16dd136d45816b"},
};

class Gcm {
 public:
  explicit Gcm(const std::string& key) {
    mbedtls_gcm_init(&context_);
    EXPECT_EQ(mbedtls_gcm_setkey(&context_, MBEDTLS_CIPHER_ID_AES, raw(key),
                                 static_cast<unsigned>(key.size() * 8)),
              0);
  }
  ~Gcm() { mbedtls_gcm_free(&context_); }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  // The sealed text, and its tag.
  std::string sealed(const std::string& iv, const std::string& beside, std::string text,
                     size_t tag_size = 16) {
    std::string tag(tag_size, '\0');
    EXPECT_EQ(mbedtls_gcm_crypt_and_tag(&context_, MBEDTLS_GCM_ENCRYPT, text.size(), raw(iv),
                                        iv.size(), raw(beside), beside.size(), raw(text), raw(text),
                                        tag_size, raw(tag)),
              0);
    return text + tag;
  }

  // What was sealed, or "refused", in the place of which there are zeros then.
  std::string opened(const std::string& iv, const std::string& beside, std::string text,
                     const std::string& tag) {
    if (mbedtls_gcm_auth_decrypt(&context_, text.size(), raw(iv), iv.size(), raw(beside),
                                 beside.size(), raw(tag), tag.size(), raw(text), raw(text)) == 0)
      return text;
    EXPECT_EQ(text, std::string(text.size(), '\0'));
    return "refused";
  }

  // The text after `mode`, and its tag. The text comes in pieces of these sizes, in place; the
  // counter of blocks goes over within the first of them.
  std::string in_pieces(int mode, const std::string& iv, const std::string& beside,
                        std::string text, const std::vector<size_t>& sizes) {
    EXPECT_EQ(mbedtls_gcm_starts(&context_, mode, raw(iv), iv.size()), 0);
    std::fill_n(context_.private_y + 12, 3, 0xFF);
    context_.private_y[15] = 0xFD;
    EXPECT_EQ(mbedtls_gcm_update_ad(&context_, raw(beside), beside.size()), 0);
    size_t at = 0;
    size_t written = 0;
    for (size_t size : sizes) {
      EXPECT_EQ(mbedtls_gcm_update(&context_, raw(text) + at, size, raw(text) + at, size, &written),
                0);
      EXPECT_EQ(written, size);
      at += size;
    }
    EXPECT_EQ(at, text.size());
    std::string tag(16, '\0');
    EXPECT_EQ(mbedtls_gcm_finish(&context_, nullptr, 0, &written, raw(tag), tag.size()), 0);
    return text + tag;
  }

  mbedtls_gcm_context& context() { return context_; }

 private:
  mbedtls_gcm_context context_;
};

std::string random_text(std::mt19937_64& random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string changed(std::string text, size_t at) {
  text[at] = static_cast<char>(text[at] ^ 0x10);
  return text;
}

TEST(GcmStretch, gives_what_nist_gives) {
  for (const KnownAnswer& known : kNist) {
    SCOPED_TRACE(known.tag);
    Gcm gcm(bytes(known.key));
    const std::string iv = bytes(known.iv);
    const std::string beside = bytes(known.beside);
    const std::string tag = bytes(known.tag);
    EXPECT_EQ(gcm.sealed(iv, beside, bytes(known.text), tag.size()), bytes(known.sealed) + tag);
    EXPECT_EQ(gcm.opened(iv, beside, bytes(known.sealed), tag), bytes(known.text));
  }
}

TEST(GcmStretch, refuses_what_nist_refuses) {
  for (const KnownAnswer& known : kNistRefuses) {
    Gcm gcm(bytes(known.key));
    EXPECT_EQ(
        gcm.opened(bytes(known.iv), bytes(known.beside), bytes(known.sealed), bytes(known.tag)),
        "refused");
  }
}

// A TLS record and a byte: its last 16 bytes, and the tag, in which each of them has a part.
TEST(GcmStretch, gives_what_openssl_gives_for_a_long_text) {
  const std::string iv = bytes("000102030405060708090a0b");
  const std::string beside = bytes("1703034011");
  std::string text;
  for (int i = 0; i < 16'385; ++i) text += static_cast<char>(i * 31);
  std::string key;
  for (const char* wanted : {"ad0d4ee7ad788fec228d32f76e4fe817f3e0846e6d6520d1b94e4cd333d1bd40",
                             "8de251d3680da5f96fe3c8ad28c8a954de16ae28304e015398380cc7d9e9a541",
                             "58cd4a87b35e881fe9b6084ee2c200f9bcf41e7ed7449e93cdb188369b1b8b48"}) {
    while (key.size() % 8 != 0 || key.size() < 16) key += static_cast<char>(key.size());
    Gcm gcm(key);
    std::string sealed = gcm.sealed(iv, beside, text);
    EXPECT_EQ(sealed.substr(sealed.size() - 32), bytes(wanted)) << key.size();
    const std::string tag = sealed.substr(text.size());
    sealed.resize(text.size());
    EXPECT_EQ(gcm.opened(iv, beside, sealed, tag), text);
    for (size_t at : {0, 127, 128, 16'383, 16'384})
      EXPECT_EQ(gcm.opened(iv, beside, changed(sealed, at), tag), "refused");
    EXPECT_EQ(gcm.opened(iv, beside, sealed, changed(tag, 15)), "refused");
    key += static_cast<char>(key.size());
  }
}

// Pieces of less than a stretch are all mbedTLS's.
TEST(GcmStretch, is_what_mbedtls_gives_block_by_block_whatever_the_length_and_wherever_it_is_cut) {
  for (size_t size = 0; size <= 300; ++size) {
    std::mt19937_64 random(size);
    auto below = [&random](size_t bound) { return static_cast<size_t>(random()) % bound; };
    Gcm gcm(random_text(random, size % 2 == 0 ? 16 : 32));
    const std::string iv = random_text(random, size % 5 == 0 ? 1 + below(40) : 12);
    const std::string beside = random_text(random, below(40));
    const std::string text = random_text(random, size == 300 ? 5'000 : size);
    for (int mode : {MBEDTLS_GCM_ENCRYPT, MBEDTLS_GCM_DECRYPT}) {
      std::vector<size_t> sizes(text.size() / 100, 100);
      sizes.push_back(text.size() % 100);
      const std::string wanted = gcm.in_pieces(mode, iv, beside, text, sizes);
      ASSERT_EQ(gcm.in_pieces(mode, iv, beside, text, {text.size()}), wanted) << size;
      for (int cut = 0; cut < 5; ++cut) {
        const size_t first = below(text.size() + 1);
        const size_t second = below(text.size() - first + 1);
        sizes = {first, second, text.size() - first - second};
        ASSERT_EQ(gcm.in_pieces(mode, iv, beside, text, sizes), wanted)
            << size << ": " << first << ", " << second;
      }
    }
  }
}

TEST(GcmStretch, writes_before_what_it_reads) {
  const std::string iv(12, 'i');
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += static_cast<char>(i * 31);
  Gcm gcm(std::string(16, 'k'));
  const std::string wanted = gcm.sealed(iv, "", text);
  for (size_t before : {1, 15, 16, 100}) {
    std::string buffer = std::string(before, '-') + text;
    std::string tag(16, '\0');
    ASSERT_EQ(mbedtls_gcm_crypt_and_tag(&gcm.context(), MBEDTLS_GCM_ENCRYPT, text.size(), raw(iv),
                                        iv.size(), nullptr, 0, raw(buffer) + before, raw(buffer),
                                        16, raw(tag)),
              0);
    EXPECT_EQ(buffer.substr(0, text.size()) + tag, wanted) << before;
  }
}

TEST(GcmStretch, takes_whole_stretches_where_the_processor_has_instructions) {
  Gcm gcm(std::string(16, 'k'));
  const std::string iv(12, 'i');
  ASSERT_EQ(mbedtls_gcm_starts(&gcm.context(), MBEDTLS_GCM_ENCRYPT, raw(iv), iv.size()), 0);
  std::string text(300, 't');
  EXPECT_EQ(gcm_stretches(&gcm.context(), raw(text), raw(text), 127), 0U);
  EXPECT_EQ(gcm_stretches(&gcm.context(), raw(text), raw(text), text.size()),
            gcm_has_instructions() != 0 ? 256U : 0U);
}

}  // namespace
}  // namespace leat
