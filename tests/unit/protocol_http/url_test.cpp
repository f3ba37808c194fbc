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

// RFC 3986: what a request may not hold goes out encoded.
TEST(Url, encodes_what_no_request_may_hold) {
  EXPECT_EQ(Url::parse("http://h/ä?ort=Köln&ok=%C3%A4")->target, "/%C3%A4?ort=K%C3%B6ln&ok=%C3%A4");
  EXPECT_EQ(Url::parse("http://h/a\"<>\\^`{|}[]")->target, "/a%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D");
  EXPECT_EQ(Url::parse("http://h/-._~!$&'()*+,;=:@/?/?")->target, "/-._~!$&'()*+,;=:@/?/?");
  EXPECT_EQ(Url::parse("http://h/ä")->shown, "http://h/%C3%A4");
}

TEST(Url, sends_no_zone_of_a_link_local_address) {
  Url url = *Url::parse("http://[fe80::1%eth0]:8080/");
  EXPECT_EQ(url.address.host, "fe80::1%eth0");
  EXPECT_EQ(url.host_header, "[fe80::1]:8080");
  EXPECT_EQ(Url::parse("http://[fe80::1%25eth0]/")->address.host, "fe80::1%eth0");
}

// RFC 3986 section 6.2.2.2: it is the same host.
TEST(Url, decodes_its_host) {
  EXPECT_EQ(Url::parse("http://c%61.example/")->host_header, "ca.example");
  EXPECT_EQ(problem("http://c%2F.example/"),
            "its host has a \"/\" in it: a name has letters, digits, \"-\", \"_\" and \".\"");
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
  EXPECT_EQ(problem("http://bücher.example/"),
            "its host has a letter outside ASCII: write the name as it is looked up, xn--…");
  EXPECT_EQ(problem("http://c\\d/"),
            "its host has a \"\\\" in it: a name has letters, digits, \"-\", \"_\" and \".\"");
  EXPECT_EQ(problem("http://[c.example]/"), "what stands in [ ] is not an IPv6 address");
  for (const char* text : {"http://h/%", "http://h/%4", "http://h/?%zz", "http://h/100%"})
    EXPECT_EQ(problem(text),
              "it has a \"%\" that is not followed by two hexadecimal digits: write %25 for a "
              "percent sign");
  EXPECT_EQ(problem("http://c.example/a\r\nHost: x"),
            "it has a blank or a control character in it: write %20 for a blank");
}

}  // namespace
}  // namespace leat::http
