#include "control/admin.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

const std::vector<AdminToken> kTokens = {
    {.token = "0123456789abcdef"},
    {.token = "another token, longer", .role = Role::kOperate},
    {.token = "a third one that only looks", .id = "grafana", .role = Role::kRead}};

int refused(const std::string& authorization, const std::vector<AdminToken>& tokens = kTokens,
            const std::string& method = "GET", const std::string& host = "127.0.0.1:8480") {
  http::ServerRequest request;
  request.method = method;
  request.headers = {{"host", host}};
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  return access_of(request, tokens).refusal;
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

TEST(Admin, a_token_lets_do_what_its_role_may) {
  http::ServerRequest request;
  for (const AdminToken& one : kTokens) {
    request.headers = {{"host", "gw"}, {"authorization", "Bearer " + one.token}};
    const Access access = access_of(request, kTokens);
    EXPECT_EQ(access.refusal, 0) << one.token;
    EXPECT_EQ(access.caller.role, one.role) << one.token;
    EXPECT_EQ(access.caller.who,
              one.id.empty() ? "over agent.admin" : "over agent.admin, token grafana");
  }
  request.headers = {{"host", "127.0.0.1"}};
  EXPECT_EQ(access_of(request, {}).caller.role, Role::kRead) << "without tokens";
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
  EXPECT_EQ(access_of(tap, {}).refusal, 403) << "nor are records shown";
  tap.path = "/api/v1/config";
  EXPECT_EQ(access_of(tap, {}).refusal, 403) << "nor is the configuration";
  tap.path = "/api/v1/stats";
  EXPECT_EQ(access_of(tap, {}).refusal, 0);
}

TEST(Admin, without_tokens_a_page_of_another_site_is_told_nothing) {
  EXPECT_EQ(refused("", {}, "GET", "evil.example"), 403);
  EXPECT_EQ(refused("", {}, "GET", "127.0.0.1.evil.example"), 403);
  EXPECT_EQ(refused("", {}, "GET", ""), 403);
}

}  // namespace
}  // namespace leat
