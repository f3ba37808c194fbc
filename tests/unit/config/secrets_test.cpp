#include "config/secrets.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Secrets, are_masked_as_a_whole) {
  EXPECT_EQ(masked("hunter2"), "***");
  EXPECT_EQ(masked("hun:ter@2"), "***");
  EXPECT_EQ(masked("a token that must have 16 characters"), "****************");
  EXPECT_EQ(masked(""), "");
  EXPECT_EQ(masked("***"), "***");
}

TEST(Secrets, of_a_url_are_the_passwords_in_it) {
  EXPECT_EQ(masked("postgresql://u:hunter2@h:5432/d?sslmode=require"),
            "postgresql://u:***@h:5432/d?sslmode=require");
  EXPECT_EQ(masked("postgresql://u:a:b@h/d"), "postgresql://u:***@h/d");
  EXPECT_EQ(masked("postgresql://u@h/d?password=hunter2&sslmode=require&sslpassword=x"),
            "postgresql://u@h/d?password=***&sslmode=require&sslpassword=***");
  for (const char* none : {"postgresql://u@h:5432/d", "postgresql://h:5432/d@e",
                           "postgresql://u@[::1]:5432", "postgresql://"})
    EXPECT_EQ(masked(none), none);
}

TEST(Secrets, of_any_url_are_parameters_whose_names_say_so) {
  EXPECT_EQ(masked_url("https://h/in?device=7&token=abc&x=1#t"),
            "https://h/in?device=7&token=***&x=1#t");
  EXPECT_EQ(masked_url("https://h/?api-key=a&sig=b&code=c"),
            "https://h/?api-key=***&sig=***&code=***");
  EXPECT_EQ(masked_url("mqtts://u:hunter2@h"), "mqtts://u:***@h");
  for (const char* none :
       {"https://h/in?device=7&token=", "https://h/?tokens", "https://h/token=abc", "token=abc",
        "UPDATE t SET url = 'http://h/?token=a'", "postgresql://h/d?sslkey=/etc/key.pem"})
    EXPECT_EQ(masked_url(none), none);
}

TEST(Secrets, have_names_as_headers) {
  for (const char* name : {"Authorization", "Proxy-Authorization", "X-Api-Key", "apikey", "Cookie",
                           "X-Auth-Token", "Ocp-Apim-Subscription-Key", "x-functions-key"})
    EXPECT_TRUE(names_secret(name)) << name;
  for (const char* name : {"Content-Type", "X-Site", "Idempotency-Key", "Keyboard", "X-Author"})
    EXPECT_FALSE(names_secret(name)) << name;
}

}  // namespace
}  // namespace leat
