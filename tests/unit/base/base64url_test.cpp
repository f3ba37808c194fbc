#include "base/base64url.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Base64url, is_that_of_rfc_7515_appendix_c) {
  EXPECT_EQ(to_base64url("\x03\xEC\xFF\xE0\xC1"), "A-z_4ME");
  EXPECT_EQ(from_base64url("A-z_4ME"), "\x03\xEC\xFF\xE0\xC1");
}

TEST(Base64url, gives_back_what_was_written) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

// Else one signed text could be written in two ways.
TEST(Base64url, each_value_has_one_text) {
  for (const char* other : {"A-z_4ME=", "A-z_4MF", "A+z/4ME", "A", "A-z_4", "A-z_ 4ME", "A-z_4ME\n",
                            "A-z_.4ME", "\xC3\xA9"})
    EXPECT_FALSE(from_base64url(other)) << other;
  EXPECT_EQ(from_base64url(""), "");
}

}  // namespace
}  // namespace leat
