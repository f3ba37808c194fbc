#include "net/authority.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

std::string problem(std::string_view text) {
  Result<Authority> parts = split_authority(text);
  EXPECT_FALSE(parts) << text;
  return parts ? "" : parts.error().message();
}

TEST(Authority, has_all_parts) {
  Authority parts = *split_authority("us%65r:p%40ss%3A@db.example:5433");
  EXPECT_EQ(parts.user, "user");
  EXPECT_EQ(parts.password, "p@ss:");
  EXPECT_EQ(parts.host, "db.example");
  EXPECT_EQ(parts.port, "5433");
}

TEST(Authority, tells_no_user_from_an_empty_one) {
  EXPECT_FALSE(split_authority("h")->user);
  EXPECT_EQ(split_authority("@h")->user, "");
  EXPECT_FALSE(split_authority("u@h")->password);
  EXPECT_EQ(split_authority("u:@h")->password, "");
}

TEST(Authority, takes_an_ipv6_address_in_brackets_and_nothing_else_there) {
  EXPECT_EQ(split_authority("[::1]:80")->host, "::1");
  EXPECT_EQ(split_authority("[::1]:80")->port, "80");
  EXPECT_EQ(problem("[broker]"), "what stands in [ ] is not an IPv6 address");
  EXPECT_EQ(problem("[::1"), "the \"[\" of an IPv6 address is not closed");
  EXPECT_EQ(problem("[::1]80"), "nothing but a port may follow \"]\"");
  EXPECT_EQ(problem("::1"), "an IPv6 address must stand in [ ]");
}

// RFC 6874 writes the "%" of a zone as "%25"; most people do not.
TEST(Authority, takes_both_spellings_of_a_zone) {
  EXPECT_EQ(split_authority("[fe80::1%25eth0]")->host, "fe80::1%eth0");
  EXPECT_EQ(split_authority("[fe80::1%eth0]")->host, "fe80::1%eth0");
  EXPECT_EQ(split_authority("[fe80::1%25]")->host, "fe80::1%25");
}

TEST(Authority, decodes_a_host_but_takes_no_address_for_it) {
  EXPECT_EQ(split_authority("%2Frun%2Fpg")->host, "/run/pg");
  Address address;
  EXPECT_FALSE(parse_authority("a%2Fb", address));
  EXPECT_FALSE(parse_authority("a%3A80", address));
  EXPECT_NE(problem("h%4").find("%25"), std::string::npos);
  EXPECT_NE(problem("h%00").find("%00"), std::string::npos);
}

// RFC 1035 section 2.3.4, RFC 1123 section 2.1.
TEST(Authority, has_no_host_that_cannot_be_looked_up) {
  Address address;
  const std::string label(63, 'a');
  for (const std::string& good :
       {std::string("h"), std::string("a.b.c."), label + "." + label, std::string("10.0.0.7"),
        std::string("127.1"), std::string("3com.example")})
    EXPECT_TRUE(parse_authority(good, address)) << good;
  for (const std::string& bad :
       {std::string("h..x"), std::string(".h"), std::string("."), std::string("h.."),
        label + "a.example", label + "." + label + "." + label + "." + label,
        std::string("10.0.0.256"), std::string("10.0.0.1.7"), std::string("gw.7")})
    EXPECT_FALSE(parse_authority(bad, address)) << bad;
}

TEST(Authority, does_not_repeat_a_password) {
  for (const char* text : {"u:hunter2%@h", "u:hunter2@x@h", "u:hunter2%00@h"})
    EXPECT_EQ(problem(text).find("hunter2"), std::string::npos) << text;
}

TEST(Authority, of_a_url_without_users_has_none) {
  Address address;
  EXPECT_FALSE(parse_authority("u@h", address));
}

TEST(UrlParts, are_split_without_being_understood) {
  const UrlParts all = *split_url("x://u:p@h:1/a/b?c=d&e=%20f%26");
  EXPECT_EQ(all.scheme, "x");
  EXPECT_EQ(all.authority, "u:p@h:1");
  EXPECT_EQ(all.path, "a/b");
  std::string_view query = all.query;
  EXPECT_EQ(*take_parameter(query), std::pair(std::string("c"), std::string("d")));
  EXPECT_EQ(*take_parameter(query), std::pair(std::string("e"), std::string(" f&")));
  EXPECT_EQ(query, "");
  const UrlParts host = *split_url("h");
  EXPECT_EQ(host.scheme.size() + host.path.size() + host.query.size(), 0U);
  EXPECT_EQ(host.authority, "h");
}

TEST(UrlParts, have_no_blanks_and_parameters_have_values) {
  EXPECT_FALSE(split_url("x://u:p w@h"));
  EXPECT_FALSE(split_url("x://h\n"));
  for (std::string_view query : {"c", "c=%", "%=d"}) EXPECT_FALSE(take_parameter(query)) << query;
}

TEST(Loopback, is_known_by_what_is_written) {
  for (const char* here : {"localhost", "::1", "127.0.0.1", "127.1"})
    EXPECT_TRUE(is_loopback(here)) << here;
  for (const char* away : {"", "db.example", "::", "0.0.0.0", "128.0.0.1"})
    EXPECT_FALSE(is_loopback(away)) << away;
}

TEST(PercentEncoded, leaves_what_is_unreserved_and_is_read_again) {
  EXPECT_EQ(percent_encoded("az-AZ_09.~"), "az-AZ_09.~");
  EXPECT_EQ(percent_encoded("a b/c?d=e&f%"), "a%20b%2Fc%3Fd%3De%26f%25");
  EXPECT_EQ(percent_encoded("\xc3\xa4"), "%C3%A4");
  EXPECT_EQ(*percent_decoded(percent_encoded("p@ss:w/rd%\n"), "text"), "p@ss:w/rd%\n");
}

}  // namespace
}  // namespace leat
