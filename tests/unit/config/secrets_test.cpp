#include "config/secrets.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Secrets, are_masked_as_a_whole) {
  EXPECT_EQ(masked("hunter2"), "***");
  EXPECT_EQ(masked("hun:ter@2"), "***");
  EXPECT_EQ(masked("a token that must have 16 characters"), "****************");
  EXPECT_EQ(masked(""), "");
  EXPECT_FALSE(holds_secret(""));
  EXPECT_FALSE(holds_secret("***"));
}

TEST(Secrets, of_a_url_are_the_passwords_in_it) {
  EXPECT_EQ(masked("postgresql://u:hunter2@h:5432/d?sslmode=require"),
            "postgresql://u:***@h:5432/d?sslmode=require");
  EXPECT_EQ(masked("postgresql://u:a:b@h/d"), "postgresql://u:***@h/d");
  EXPECT_EQ(masked("postgresql://u@h/d?password=hunter2&sslmode=require&sslpassword=x"),
            "postgresql://u@h/d?password=***&sslmode=require&sslpassword=***");
  for (const char* none : {"postgresql://u@h:5432/d", "postgresql://h:5432/d@e",
                           "postgresql://u@[::1]:5432", "postgresql://"})
    EXPECT_FALSE(holds_secret(none)) << none;
}

}  // namespace
}  // namespace leat
