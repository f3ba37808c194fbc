#include "protocols/amqp/table.h"

#include <gtest/gtest.h>

#include <string>

#include "protocols/amqp/codec.h"

namespace leat::amqp {
namespace {

using namespace std::string_literals;

std::string sized(const std::string& inside) {
  const auto size = static_cast<uint32_t>(inside.size());
  std::string out;
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(size >> shift);
  return out + inside;
}

std::string nested(int depth) {
  std::string table;
  for (int i = 0; i < depth; ++i) table = "\x01nF"s + sized(table);
  return sized(table);
}

std::string json(const std::string& encoded) {
  EXPECT_TRUE(is_shallow_table(encoded));
  // As the headers of a message.
  const std::string properties = "\x20\x00"s + encoded;
  EXPECT_TRUE(has_shallow_headers(properties));
  Pool pool;
  Result<const amqp_basic_properties_t*> decoded = decode_properties(properties, pool);
  if (!decoded) return decoded.error().message();
  std::string out;
  append_json(out, (*decoded)->headers);
  return out;
}

TEST(AmqpTable, becomes_json_with_all_its_types) {
  EXPECT_EQ(json(sized("")), "{}");
  EXPECT_EQ(json(sized("\x01tt\x01"s +
                       "\x01"
                       "bb\xff"s +
                       "\x01ss\xff\xfe"s + "\x01II\x00\x00\x01\x00"s +
                       "\x01ll\xff\xff\xff\xff\xff\xff\xff\xff"s)),
            R"({"t":true,"b":-1,"s":-2,"I":256,"l":-1})");
  EXPECT_EQ(json(sized("\x01SS"s + sized("a\"\n") + "\x01xx"s + sized("\xff"s) + "\x01VV"s)),
            R"({"S":"a\"\n","x":"/w==","V":null})");
  EXPECT_EQ(json(sized("\x01"
                       "DD\x02\x00\x00\x00\x07"s +
                       "\x01"
                       "dd\x3f\xf8\x00\x00\x00\x00\x00\x00"s)),
            R"({"D":0.07,"d":1.5})");
  EXPECT_EQ(json(sized("\x01"
                       "DD\x02\xff\xff\xcf\xc7"s)),
            R"({"D":-123.45})");
  EXPECT_EQ(json(sized("\x01SS"s + sized("a\xff"s))), "{\"S\":\"a\xEF\xBF\xBD\"}");
  EXPECT_EQ(json(sized("\x01TT\x00\x00\x00\x00\x00\x00\x00\x01"s)),
            R"({"T":"1970-01-01T00:00:01Z"})");
  EXPECT_EQ(json(sized("\x01TT\xff\xff\xff\xff\xff\xff\xff\xff"s)),
            R"({"T":18446744073709551615})");
  EXPECT_EQ(json(sized("\x01"
                       "A"s +
                       "A"s + sized("t\x00"s + "F"s + sized("\x01nV"s)))),
            R"({"A":[false,{"n":null}]})");
}

TEST(AmqpTable, that_is_nested_too_deeply_is_refused_before_it_is_decoded) {
  EXPECT_TRUE(is_shallow_table(nested(static_cast<int>(kDeepestTable) - 1)));
  EXPECT_FALSE(is_shallow_table(nested(static_cast<int>(kDeepestTable))));
  Pool pool;
  EXPECT_FALSE(decode_properties("\x20\x00"s + nested(10'000), pool));
}

TEST(AmqpTable, a_number_among_headers_is_found_beside_what_is_nested_too_deeply) {
  const std::string deep = "\x01nF"s + nested(10'000);
  const std::string offset = "\x01ol\x00\x00\x00\x00\x00\x00\x01\x02"s;
  for (const std::string& table : {deep + offset, offset + deep}) {
    const std::string properties =
        "\xa0\x00\x03"
        "a/b"s +
        sized(table);
    EXPECT_EQ(number_in_headers(properties, "o"), 258);
    EXPECT_EQ(number_in_headers(properties, "n"), std::nullopt);
    EXPECT_EQ(number_in_headers(properties, "p"), std::nullopt);
  }
  for (const std::string& broken :
       {""s, "\x20"s, "\x20\x00"s, "\x20\x00\x00"s, "\x20\x00"s + sized("\x05o"s),
        "\x20\x00"s + sized("\x01ol\x00"s), "\x20\x00"s + sized("\x01oS\x00"s),
        "\x20\x00"s + sized("\x01oS\xff\xff\xff\xff"s)})
    EXPECT_EQ(number_in_headers(broken, "o"), std::nullopt);
}

TEST(AmqpTable, that_is_broken_is_refused) {
  EXPECT_FALSE(is_shallow_table(""));
  EXPECT_FALSE(is_shallow_table("\x00\x00\x00\x05"s));
  EXPECT_FALSE(is_shallow_table(sized("\x05t"s)));
  EXPECT_FALSE(is_shallow_table(sized("\x01tt"s)));
  EXPECT_FALSE(is_shallow_table(sized("\x01n?\x00"s)));
  EXPECT_FALSE(is_shallow_table(sized("\x01nS\x00\x00\x00\x09"s)));
  EXPECT_FALSE(has_shallow_headers(""));
  EXPECT_FALSE(has_shallow_headers("\x20\x00"s));
  EXPECT_FALSE(has_shallow_headers("\xa0\x00"s));
  EXPECT_FALSE(has_shallow_headers("\x00\x01"s));
}

}  // namespace
}  // namespace leat::amqp
