#include "protocols/jws/strict_json.h"

#include <gtest/gtest.h>

using namespace std::string_view_literals;

namespace leat::jws {
namespace {

TEST(StrictJson, an_object_is_read) {
  JsonTree tree = parse_object(" {\"a\":\"\\\\u0000\",\"A\":\"x\"} \r\n");
  ASSERT_NE(tree, nullptr);
  EXPECT_EQ(string_member(tree.get(), "a"), "\\u0000");
  EXPECT_EQ(string_member(tree.get(), "A"), "x");
  EXPECT_FALSE(string_member(tree.get(), "b"));
}

TEST(StrictJson, what_readers_take_in_two_ways_is_refused) {
  for (std::string_view text :
       {""sv, "[]"sv, "1"sv, "{"sv, "{}{}"sv, "{} x"sv, "{\"a\":1,\"a\":2}"sv,
        "{\"a\":\"\\u0000\"}"sv, "{\"a\":\"\\\\\\u0000\"}"sv, "{}\0"sv, "{\"a\":\"\0\"}"sv,
        "{\"a\":\"\xFF\"}"sv})
    EXPECT_EQ(parse_object(text), nullptr) << text;
}

}  // namespace
}  // namespace leat::jws
