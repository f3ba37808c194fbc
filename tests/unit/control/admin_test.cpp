#include "control/admin.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

const std::vector<std::string> kTokens = {"0123456789abcdef", "another token, longer"};

int refused(const std::string& authorization, const std::vector<std::string>& tokens = kTokens,
            const std::string& method = "GET", const std::string& host = "127.0.0.1:8480") {
  http::ServerRequest request;
  request.method = method;
  request.headers = {{"host", host}};
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  return refusal_of(request, tokens);
}

TEST(Admin, lets_in_who_has_one_of_the_tokens) {
  EXPECT_EQ(refused("Bearer 0123456789abcdef"), 0);
  EXPECT_EQ(refused("bearer another token, longer"), 0);
  EXPECT_EQ(refused("Bearer 0123456789abcdef", kTokens, "POST", "gw-042.example"), 0);
  for (const char* wrong : {"", "Bearer ", "Bearer", "Basic 0123456789abcdef", "0123456789abcdef",
                            "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
                            "Bearer  0123456789abcdef", "Bearer 0123456789abcdeg"})
    EXPECT_EQ(refused(wrong), 401) << wrong;
}

TEST(Admin, without_tokens_nothing_can_be_changed) {
  EXPECT_EQ(refused("", {}), 0);
  EXPECT_EQ(refused("", {}, "HEAD", "localhost"), 0);
  EXPECT_EQ(refused("", {}, "GET", "[::1]:8480"), 0);
  EXPECT_EQ(refused("", {}, "POST"), 403);
  EXPECT_EQ(refused("Bearer x", {}, "DELETE"), 403);
  http::ServerRequest tap;
  tap.method = "GET";
  tap.path = "/api/v1/pipelines/p/tap";
  tap.headers = {{"host", "127.0.0.1"}};
  EXPECT_EQ(refusal_of(tap, {}), 403) << "nor are records shown";
  tap.path = "/api/v1/config";
  EXPECT_EQ(refusal_of(tap, {}), 403) << "nor is the configuration";
  tap.path = "/api/v1/stats";
  EXPECT_EQ(refusal_of(tap, {}), 0);
}

TEST(Admin, without_tokens_a_page_of_another_site_is_told_nothing) {
  EXPECT_EQ(refused("", {}, "GET", "evil.example"), 403);
  EXPECT_EQ(refused("", {}, "GET", "127.0.0.1.evil.example"), 403);
  EXPECT_EQ(refused("", {}, "GET", ""), 403);
}

}  // namespace
}  // namespace leat
