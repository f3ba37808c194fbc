#include "protocols/http/request.h"

#include <gtest/gtest.h>

#include "connectors/http/options.h"
#include "connectors/http/request_options.h"

namespace leat::http {
namespace {

class RequestTest : public ::testing::Test {
 protected:
  RequestTest() { options_.set("url", std::string("https://c.example/in?key=k3y")); }

  void auth(std::initializer_list<std::pair<std::string_view, std::string>> values) {
    auto object = std::make_shared<Options>(kAuthOptions, "sink.auth");
    for (const auto& [name, value] : values) object->set(name, value);
    options_.set("auth", object);
  }
  void headers(Options::Map map) { options_.set("headers", std::move(map)); }

  std::string problem() {
    Result<RequestConfig> config = request_config(options_);
    if (config) return "none";
    EXPECT_EQ(config.error().kind(), ErrorKind::kUsage);
    return config.error().message();
  }
  std::string head() {
    RequestConfig config = *request_config(options_);
    std::string text = head_start(config, "application/x-ndjson");
    append_head_end(text, 42, "0123abcd");
    return text;
  }
  bool has_line(const std::string& line) {
    return head().find("\r\n" + line + "\r\n") != std::string::npos;
  }

  Options options_{kSinkOptions, "sink"};
};

TEST_F(RequestTest, has_all_that_a_server_needs) {
  EXPECT_EQ(head(),
            "POST /in?key=k3y HTTP/1.1\r\n"
            "Host: c.example\r\n"
            "User-Agent: leat/" LEAT_VERSION
            "\r\n"
            "Content-Type: application/x-ndjson\r\n"
            "Content-Length: 42\r\n"
            "Idempotency-Key: \"0123abcd\"\r\n"
            "\r\n");
}

TEST_F(RequestTest, carries_the_users_headers_and_method) {
  options_.set("method", std::string("PUT"));
  headers({{"X-Site", "north 4"}, {"content-type", "text/plain"}, {"User-Agent", "gw"}});
  EXPECT_EQ(head().substr(0, 4), "PUT ");
  EXPECT_TRUE(has_line("X-Site: north 4"));
  EXPECT_TRUE(has_line("content-type: text/plain"));
  EXPECT_TRUE(has_line("User-Agent: gw"));
  EXPECT_EQ(head().find("application/x-ndjson"), std::string::npos);
  EXPECT_EQ(head().find("leat/"), std::string::npos);
}

TEST_F(RequestTest, says_when_the_body_is_compressed) {
  options_.set("compression", std::string("gzip"));
  EXPECT_TRUE(has_line("Content-Encoding: gzip"));
}

TEST_F(RequestTest, carries_basic_and_bearer_credentials) {
  auth({{"user", "Aladdin"}, {"password", "open sesame"}});  // of RFC 7617
  EXPECT_TRUE(has_line("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  auth({{"token", "abc.def"}});
  EXPECT_TRUE(has_line("Authorization: Bearer abc.def"));
}

TEST_F(RequestTest, refuses_credentials_that_do_not_fit_together) {
  auth({{"user", "me"}, {"token", "t"}});
  EXPECT_EQ(problem(),
            "sink.auth: \"token\" cannot be used together with \"user\" and \"password\"");
  auth({});
  EXPECT_EQ(problem(), "sink.auth: either \"user\" and \"password\" or \"token\" is needed");
  auth({{"user", "a:b"}, {"password", "p"}});
  EXPECT_EQ(problem(), "sink.auth.user: must not contain \":\"");
  auth({{"token", "from a file\n"}});
  EXPECT_EQ(problem(),
            "sink.auth.token: a token is made of visible ASCII characters (is there a line break "
            "at its end?)");
  auth({{"token", "t"}});
  headers({{"authorization", "Basic x"}});
  EXPECT_EQ(problem(),
            "sink.auth: \"headers\" sets Authorization too: only one of them can be sent");
}

TEST_F(RequestTest, refuses_headers_that_would_break_the_message) {
  headers({{"X-A", "one\r\nX-B: two"}});
  EXPECT_EQ(problem(),
            "sink.headers.X-A: its value has a line break or another control character in it");
  headers({{"X A", "one"}});
  EXPECT_EQ(problem(),
            "sink.headers[\"X A\"]: not a header name: it has letters, digits and "
            "!#$%&'*+-.^_`|~ (RFC 9110)");
  headers({{"X-\xC3\xA4", "one"}});
  EXPECT_NE(problem().find("not a header name"), std::string::npos) << problem();
  headers({{"X-A", "\xC3\xA4"}});
  EXPECT_EQ(problem(),
            "sink.headers.X-A: its value has a letter outside ASCII, which servers read in "
            "different ways (RFC 9110): write it as the server decodes it, such as %C3%A4");
  headers({{"content-LENGTH", "3"}});
  EXPECT_EQ(problem(),
            "sink.headers.content-LENGTH: cannot be set: it is worked out for each request");
  headers({{"Host", "other"}});
  EXPECT_EQ(problem(), "sink.headers.Host: cannot be set: it follows from \"url\"");
  headers({{"X-A", "1"}, {"x-a", "2"}});
  EXPECT_EQ(problem(), "sink.headers.x-a: the same header is set twice");
}

TEST_F(RequestTest, refuses_tls_options_without_tls) {
  options_.set("url", std::string("http://c.example/"));
  options_.set("tls", std::make_shared<Options>(kTlsOptions, "sink.tls"));
  EXPECT_EQ(problem(), "sink.tls: has no effect on an http:// url; did you mean https://?");
}

TEST_F(RequestTest, names_the_option_of_a_bad_url) {
  options_.set("url", std::string("collector"));
  EXPECT_EQ(problem(), "sink.url: it must start with \"http://\" or \"https://\"");
}

TEST_F(RequestTest, hides_secrets_in_text_for_people) {
  auth({{"user", "me"}, {"password", "pass word"}});
  headers({{"X-Api-Key", "0123456789"}, {"X-Site", "north"}});
  RequestConfig config = *request_config(options_);
  EXPECT_EQ(config.shown(), "POST https://c.example/in");
  EXPECT_EQ(redact("north: pass word, 0123456789 0123456789, bWU6cGFzcyB3b3Jk", config),
            "north: ***, *** ***, ***");
}

}  // namespace
}  // namespace leat::http
