// agent.admin: who may reach it, and with which tokens.
#include "config/loader_fixture.h"

namespace leat {
namespace {

#ifdef LEAT_ADMIN

TEST_F(LoaderTest, what_others_can_reach_needs_tokens_and_tls) {
  auto admin = [this](const std::string& options) {
    return problems_with("", R"(, "admin": {)" + options + "}");
  };
  const std::string tokens = R"("tokens": ["0123456789abcdef"])";
  const std::string tls = R"("tls": {"cert": "c.pem", "key": "k.pem"})";
  EXPECT_EQ(admin(""), Lines{});
  EXPECT_EQ(admin(R"("listen": "[::1]:80")"), Lines{});
  EXPECT_EQ(admin(R"("listen": "0.0.0.0:80", )" + tokens + ", " + tls), Lines{});
  EXPECT_EQ(admin(tls), Lines{});
  const Lines open = {
      "agent.admin.listen: \"[::]:80\" can be reached by others, which needs \"tokens\" and "
      "\"tls\"; "
      "only 127.0.0.1 and [::1] do without"};
  EXPECT_EQ(admin(R"("listen": "[::]:80")"), open);
  EXPECT_EQ(admin(R"("listen": "[::]:80", )" + tokens), open);
  EXPECT_EQ(admin(R"("listen": "[::]:80", )" + tls), open);
  EXPECT_EQ(admin(R"("listen": "127.0.0.1.example.com:80")").size(), 1U) << "a name";
  EXPECT_EQ(admin(R"("listen": "127.0.0.1")").size(), 1U) << "no port";
  EXPECT_EQ(admin(R"("tokens": ["hunter2"])"),
            Lines{"agent.admin.tokens[0]: must have at least 16 characters, so that nobody "
                  "guesses it"});
  EXPECT_EQ(admin(R"("tls": {"cert": "c.pem"})"),
            Lines{"agent.admin.tls: needs \"cert\" and \"key\""});
}

TEST_F(LoaderTest, a_token_may_everything_unless_it_has_a_role) {
  std::optional<AgentConfig> config = load(R"({"agent": {"dataDir": "/d", "admin": {"tokens": [
      "0123456789abcdef", {"token": "operates-0123456", "role": "operate"},
      {"token": "looks-0123456789", "id": "grafana", "role": "read"}]}}, "pipelines": []})");
  ASSERT_TRUE(config && config->admin) << ::testing::PrintToString(lines);
  const std::vector<AdminToken> wanted = {{.token = "0123456789abcdef"},
                                          {.token = "operates-0123456", .role = Role::kOperate},
                                          {"looks-0123456789", "grafana", Role::kRead}};
  EXPECT_EQ(config->admin->tokens, wanted);
  config = load(R"({"agent": {"dataDir": "/d", "admin": {"tokens": "0123456789abcdef"}},
                    "pipelines": []})");
  ASSERT_TRUE(config && config->admin) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->admin->tokens, std::vector<AdminToken>{{.token = "0123456789abcdef"}});
}

TEST_F(LoaderTest, tokens_that_mean_nothing_or_two_things_are_refused) {
  auto tokens = [this](const std::string& list) {
    return problems_with("", R"(, "admin": {"tokens": )" + list + "}");
  };
  EXPECT_EQ(tokens(R"([{"token": "0123456789abcdef"}])"),
            Lines{R"(agent.admin.tokens[0].role: missing, and required: one of "read", )"
                  R"("operate", "configure")"});
  EXPECT_EQ(tokens(R"([{"token": "0123456789abcdef", "role": "admin"}])").size(), 1U);
  EXPECT_EQ(tokens(R"([{"role": "read"}])"),
            Lines{"agent.admin.tokens[0].token: missing, and required: a string"});
  EXPECT_EQ(tokens(R"([{"token": "short", "role": "read"}])"),
            Lines{"agent.admin.tokens[0]: must have at least 16 characters, so that nobody guesses "
                  "it"});
  EXPECT_EQ(tokens(R"(["0123456789abcdef", {"token": "0123456789abcdef", "role": "read"}])"),
            Lines{"agent.admin.tokens[1]: has the token or the id of agent.admin.tokens[0]"});
  EXPECT_EQ(tokens(R"([{"token": "0123456789abcdef", "role": "read", "id": "a b"}])"),
            Lines{"agent.admin.tokens[0].id: must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"});
  for (const char* wrong : {"[1234567890123456]", "1234567890123456"}) {
    const Lines said = tokens(wrong);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].find("1234567890123456"), std::string::npos) << said[0];
  }
}

TEST_F(LoaderTest, admin_is_off_unless_it_is_given) {
  const std::string pipelines = R"("pipelines": []})";
  std::optional<AgentConfig> without = load(R"({"agent": {"dataDir": "/d"}, )" + pipelines);
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->admin);
  std::optional<AgentConfig> with =
      load(R"({"agent": {"dataDir": "/d", "admin": {"listen": "localhost:80"}}, )" + pipelines);
  ASSERT_TRUE(with && with->admin);
  EXPECT_EQ(with->admin->host, "localhost");
  EXPECT_EQ(with->admin->port, 80);
}

#else

TEST_F(LoaderTest, admin_is_refused_by_a_build_without_it) {
  EXPECT_EQ(problems_with("", R"(, "admin": {})"), Lines{"agent.admin: is not in this build"});
}

#endif

}  // namespace
}  // namespace leat
