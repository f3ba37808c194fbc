#include "connectors/mysql/caching_sha2.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"

namespace leat::mysql {
namespace {

// By Python: hashlib, and the formula of MySQL's manual.
TEST(CachingSha2, proves_the_password_of_the_challenge) {
  std::string challenge;
  for (char c = 1; c <= 20; ++c) challenge += c;
  const Sha256 proof = scramble(
      "p@ss w/rd:ä", {reinterpret_cast<const unsigned char*>(challenge.data()), challenge.size()});
  std::string text;
  append_hex(text, std::span<const unsigned char>(proof));
  EXPECT_EQ(text, "f751b4bc0faacb0267547d2ad93acea32bc440fe58bc370610dbce4e274dad88");
}

}  // namespace
}  // namespace leat::mysql
