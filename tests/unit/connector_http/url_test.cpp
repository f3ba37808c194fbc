#include "protocols/http/url.h"

#include <gtest/gtest.h>

namespace leat::http {
namespace {

std::string problem(std::string_view text) {
  Result<Url> url = Url::parse(text);
  if (url) return "none";
  EXPECT_EQ(url.error().kind(), ErrorKind::kUsage);
  return url.error().message();
}

TEST(Url, is_taken_apart) {
  Url url = *Url::parse("http://collector.example/ingest?site=4");
  EXPECT_FALSE(url.https);
  EXPECT_EQ(url.address.host, "collector.example");
  EXPECT_EQ(url.address.port, 80);
  EXPECT_EQ(url.host_header, "collector.example");
  EXPECT_EQ(url.target, "/ingest?site=4");
}

TEST(Url, puts_only_an_unusual_port_into_the_host_header) {
  EXPECT_EQ(Url::parse("https://c.example:443/")->host_header, "c.example");
  EXPECT_EQ(Url::parse("https://c.example:8443/")->host_header, "c.example:8443");
  EXPECT_EQ(Url::parse("http://c.example:443/")->host_header, "c.example:443");
  EXPECT_EQ(Url::parse("HTTPS://c.example")->address.port, 443);
}

TEST(Url, knows_ipv6_literals) {
  Url url = *Url::parse("http://[::1]:8080/x");
  EXPECT_EQ(url.address.host, "::1");
  EXPECT_EQ(url.address.port, 8080);
  EXPECT_EQ(url.host_header, "[::1]:8080");
  EXPECT_EQ(Url::parse("https://[fe80::1]")->host_header, "[fe80::1]");
}

TEST(Url, without_a_path_asks_for_the_root) {
  EXPECT_EQ(Url::parse("http://c.example")->target, "/");
  EXPECT_EQ(Url::parse("http://c.example?a=b")->target, "/?a=b");
}

TEST(Url, sends_no_fragment) {
  EXPECT_EQ(Url::parse("http://c.example/a#part")->target, "/a");
}

TEST(Url, is_shown_without_its_query_which_may_hold_a_key) {
  EXPECT_EQ(Url::parse("https://c.example:8443/in?api_key=s3cret")->shown,
            "https://c.example:8443/in");
}

TEST(Url, says_what_is_wrong_without_repeating_it) {
  EXPECT_EQ(problem("ftp://c.example"), "it must start with \"http://\" or \"https://\"");
  EXPECT_EQ(problem("c.example/in"), "it must start with \"http://\" or \"https://\"");
  EXPECT_EQ(problem("https://me:s3cret@c.example"),
            "it must not hold a user or a password: use \"auth\"");
  EXPECT_EQ(problem("http:///in"), "it has no host");
  EXPECT_EQ(problem("http://c.example:0/"), "its port is not a number from 1 to 65535");
  EXPECT_EQ(problem("http://c.example:70000/"), "its port is not a number from 1 to 65535");
  EXPECT_EQ(problem("http://c.example:80x/"), "its port is not a number from 1 to 65535");
  EXPECT_EQ(problem("http://::1/"), "an IPv6 address must stand in [ ]");
  EXPECT_EQ(problem("http://[::1/"), "the \"[\" of an IPv6 address is not closed");
  EXPECT_EQ(problem("http://c.example/a\r\nHost: x"),
            "it has a blank or a control character in it: write %20 for a blank");
}

}  // namespace
}  // namespace leat::http
