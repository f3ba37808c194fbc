// agent.control: by whom commands from afar are signed.
#include "config/control.h"

#include <gtest/gtest.h>

#include "config/fake_registry.h"
#include "config/loader.h"
#include "crypto/p256.h"
#include "options/problem_words.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

#ifdef LEAT_CONTROL_TOPIC

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    Result<P256Key> pair = P256Key::make();
    files["/fleet.pub"] = pair->public_pem();
    files["/fleet.key"] = pair->private_pem();
    files["/ops.key"] = std::string(43, 's') + "\n";
  }

  std::optional<ControlConfig> load(const std::string& keys) {
    LoadContext context{registry, {}, "", "gw-042"};
    context.variables.env = [](const std::string&) { return std::nullopt; };
    context.variables.file = [this](const std::string& path) -> Result<std::string> {
      auto found = files.find(path);
      if (found != files.end()) return found->second;
      return fail(ErrorKind::kUsage, "open " + path + ": no such file or directory");
    };
    Problems problems;
    std::optional<AgentConfig> config =
        load_config(R"({"agent": {"dataDir": "/d", "control": {"url": "mqtt://broker", "keys": )" +
                        keys + R"(}}, "pipelines": []})",
                    context, problems);
    lines.clear();
    for (const Problem& problem : problems.all())
      if (!problem.warning) lines.push_back(line_of(problem));
    return config ? config->control : std::nullopt;
  }

  Lines problems_of(const std::string& key) {
    load("[{" + key + "}]");
    return lines;
  }

  Registry registry = fake::registry();
  std::map<std::string, std::string> files;
  Lines lines;
};

TEST_F(ControlTest, other_keys_make_no_other_connection) {
  const std::string one = R"([{"id": "ops", "secret": "${file:/ops.key}", "role": "operate"}])";
  std::optional<ControlConfig> before = load(one);
  files["/ops.key"] = std::string(43, 'n');
  std::optional<ControlConfig> after = load(one);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->options, after->options);
  EXPECT_NE(before->keys, after->keys);
}

TEST_F(ControlTest, reads_keys_of_both_kinds) {
  std::optional<ControlConfig> control = load(
      R"([{"id": "ops", "algorithm": "HS256", "secret": "${file:/ops.key}", "role": "operate"},
          {"id": "fleet", "publicKey": "${file:/fleet.pub}", "role": "configure"}])");
  ASSERT_TRUE(control) << ::testing::PrintToString(lines);
  ASSERT_EQ(control->keys.size(), 2U);
  EXPECT_EQ(control->keys[0].id, "ops");
  EXPECT_FALSE(control->keys[0].is_public);
  EXPECT_EQ(control->keys[0].key, std::string(43, 's')) << "without the end of the line";
  EXPECT_EQ(control->keys[0].role, Role::kOperate);
  EXPECT_TRUE(control->keys[1].is_public);
  EXPECT_TRUE(P256Key::from_pem(control->keys[1].key));
  EXPECT_EQ(control->keys[1].role, Role::kConfigure);
}

TEST_F(ControlTest, without_a_key_nobody_could_command) {
  EXPECT_FALSE(load("[]"));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with("agent.control.keys: ")) << lines[0];
}

TEST_F(ControlTest, says_what_is_wrong_with_a_key) {
  const std::string at = "agent.control.keys[0]";
  const std::string secret = R"("secret": "0123456789abcdef0123456789abcdef")";
  EXPECT_EQ(problems_of(R"("id": "ops", "role": "read", )" + secret), Lines{});
  EXPECT_EQ(problems_of(R"("id": "a b", "role": "read", )" + secret),
            Lines{at + ".id: must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"});
  EXPECT_EQ(problems_of(R"("id": "ops", "role": "read")"),
            Lines{at + ": needs either \"secret\" or \"publicKey\""});
  EXPECT_EQ(
      problems_of(R"("id": "ops", "role": "read", "publicKey": "${file:/fleet.pub}", )" + secret),
      Lines{at + ": needs either \"secret\" or \"publicKey\""});
  EXPECT_EQ(problems_of(R"("id": "ops", "role": "read", "algorithm": "ES256", )" + secret),
            Lines{at + ".algorithm: is \"ES256\", but \"secret\" is for \"HS256\""});
  EXPECT_EQ(problems_of(R"("id": "ops", "role": "read", "publicKey": "${file:/fleet.key}")"),
            Lines{at + ".publicKey: is a private key, which no agent should have: give its public "
                       "half, which \"leat keygen\" printed"});
  EXPECT_EQ(problems_of(R"("id": "ops", "role": "read", "publicKey": "${file:/ops.key}")"),
            Lines{at + ".publicKey: is no public key of P-256 in PEM format (\"-----BEGIN PUBLIC "
                       "KEY-----\")"});
  EXPECT_EQ(problems_of(R"("id": "ops", "role": "root", )" + secret).size(), 1U);
  EXPECT_EQ(problems_of(R"("id": "ops", )" + secret).size(), 1U) << "no role";
  EXPECT_EQ(problems_of(R"("role": "read", )" + secret).size(), 1U) << "no id";
}

TEST_F(ControlTest, a_key_of_a_pair_is_no_secret) {
  for (const char* file : {"/fleet.pub", "/fleet.key"}) {
    const std::string key =
        R"("id": "ops", "role": "read", "secret": "${file:)" + std::string(file) + R"(}")";
    EXPECT_EQ(problems_of(key),
              Lines{"agent.control.keys[0].secret: is a key in PEM format, which is no secret of "
                    "HS256: a public key goes to \"publicKey\""})
        << file;
  }
}

TEST_F(ControlTest, a_secret_that_could_be_guessed_is_refused_and_not_shown) {
  const Lines said =
      problems_of(R"("id": "ops", "role": "read", "secret": "0123456789abcdef0123456789abcde")");
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].find("0123456789"), std::string::npos) << said[0];
  EXPECT_NE(said[0].find("at least 32 characters"), std::string::npos) << said[0];
}

TEST_F(ControlTest, a_key_that_cannot_be_read_is_one_problem) {
  const Lines said =
      problems_of(R"("id": "ops", "role": "read", "secret": "${file:/nowhere.key}")");
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].starts_with("agent.control.keys[0].secret: ")) << said[0];
}

TEST_F(ControlTest, two_keys_of_one_name_are_refused) {
  const std::string key =
      R"({"id": "ops", "role": "read", "secret": "0123456789abcdef0123456789abcdef"})";
  EXPECT_FALSE(load("[" + key + ", " + key + "]"));
  EXPECT_EQ(lines, Lines{"agent.control.keys[1].id: \"ops\" is the name of another key already"});
}

#endif

}  // namespace
}  // namespace leat
