#include "control/auth/claims.h"

#include <gtest/gtest.h>

#include <map>

namespace leat::control {
namespace {

std::string with(const std::string& name, const std::string& value) {
  std::map<std::string, std::string> all = {{"aud", "\"gw-17\""},
                                            {"jti", "\"c-42\""},
                                            {"counter", "7"},
                                            {"exp", "1732621200"},
                                            {"command", "\"ping\""}};
  if (value.empty()) {
    all.erase(name);
  } else {
    all[name] = value;
  }
  std::string out;
  for (const auto& [key, text] : all) out += (out.empty() ? "{\"" : ",\"") + key + "\":" + text;
  return out + "}";
}

TEST(Claims, are_read) {
  std::optional<Claims> claims = read_claims(
      R"({"aud":["gw-17","site-a"],"jti":"c-42","counter":9007199254740991,"nbf":1732617600.5,)"
      R"("exp":1732621200,"command":"pipeline.pause","arguments":{"pipeline":"a"},"iss":"desk"})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->addressees, (std::vector<std::string>{"gw-17", "site-a"}));
  EXPECT_EQ(claims->correlation, "c-42");
  EXPECT_EQ(claims->counter, 9007199254740991U);
  EXPECT_EQ(claims->not_before, 1732617600.5);
  EXPECT_EQ(claims->expires, 1732621200);
  EXPECT_EQ(claims->command, "pipeline.pause");
  EXPECT_EQ(jws::string_member(claims->arguments.get(), "pipeline"), "a");
}

TEST(Claims, may_leave_out_arguments_and_the_beginning) {
  std::optional<Claims> claims = read_claims(with("counter", "1"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->addressees, std::vector<std::string>{"gw-17"});
  EXPECT_NE(cJSON_IsObject(claims->arguments.get()), 0);
}

TEST(Claims, that_miss_something_or_are_of_another_type_are_none) {
  for (const char* name : {"aud", "jti", "counter", "exp", "command"}) {
    EXPECT_FALSE(read_claims(with(name, ""))) << name;
    EXPECT_FALSE(read_claims(with(name, "null"))) << name;
    EXPECT_FALSE(read_claims(with(name, "{}"))) << name;
    EXPECT_FALSE(read_claims(with(name, "[1]"))) << name;
    EXPECT_FALSE(read_claims(with(name, "true"))) << name;
  }
  EXPECT_FALSE(read_claims(with("aud", "[]")));
  for (const char* wrong : {"0", "-1", "1.5", "9007199254740992", "1e400", "\"1\""})
    EXPECT_FALSE(read_claims(with("counter", wrong))) << wrong;
  for (const char* wrong : {"0", "-1", "1e300", "\"1732621200\""}) {
    EXPECT_FALSE(read_claims(with("exp", wrong))) << wrong;
    EXPECT_FALSE(read_claims(with("nbf", wrong))) << wrong;
  }
  for (const char* wrong :
       {"\"\"", "\"a b\"", "\"a/b\"", "\"\xC3\xA9\"",
        "\"12345678901234567890123456789012345678901234567890123456789012345\""}) {
    EXPECT_FALSE(read_claims(with("jti", wrong))) << wrong;
    EXPECT_FALSE(read_claims(with("command", wrong))) << wrong;
  }
  EXPECT_FALSE(read_claims(with("arguments", "[]")));
  EXPECT_FALSE(read_claims(with("arguments", "\"{}\"")));
  EXPECT_FALSE(read_claims("{"));
  EXPECT_FALSE(read_claims(""));
}

}  // namespace
}  // namespace leat::control
