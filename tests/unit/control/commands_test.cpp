// The table of commands, and its adapter for HTTP.
#include "control/commands/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "control/commands/http_adapter.h"
#include "managed_configs.h"

namespace leat::control {
namespace {

using leat::testing::kProbation;

TEST(CommandTable, no_two_commands_have_one_http_form) {
  std::set<std::string> forms;
  for (const Command& one : commands()) {
    EXPECT_TRUE(one.http.path.starts_with("/api/v1/")) << one.name;
    EXPECT_TRUE(
        forms.insert(std::string(one.http.method) + " " + std::string(one.http.path)).second)
        << one.http.path;
    EXPECT_TRUE(one.help.ends_with('.')) << one.name;
    EXPECT_TRUE(one.run != nullptr || one.stream) << one.name;
  }
}

TEST(CommandTable, what_stands_in_a_path_is_a_parameter_that_must_be_given) {
  for (const Command& one : commands()) {
    const size_t begin = one.http.path.find('{');
    if (begin == std::string_view::npos) continue;
    const size_t end = one.http.path.find('}');
    const std::string_view name = one.http.path.substr(begin + 1, end - begin - 1);
    const auto found = std::ranges::find(one.parameters, name, &Parameter::name);
    ASSERT_NE(found, one.parameters.end()) << one.name;
    EXPECT_TRUE(found->required) << one.name;
  }
}

TEST(CommandTable, who_only_reads_changes_nothing_over_http) {
  for (const Command& one : commands())
    EXPECT_TRUE(one.role != Role::kRead || one.http.method == "GET") << one.name;
}

class Response final : public http::Responder {
 public:
  void reply(int code, std::string_view, std::string text, std::string_view more) override {
    EXPECT_EQ(status, 0) << "a second answer";
    status = code;
    body = std::move(text);
    head = more;
  }
  void begin(int, std::string_view) override {}
  void send(std::string) override {}
  void end() override {}
  size_t waiting() const override { return 0; }
  void on_gone(std::function<void()>) override {}

  int status = 0;
  std::string body;
  std::string head;
};

class Commands : public leat::testing::ManagedConfigs {
 protected:
  // The answers so far, a line each: "running", "failed conflict: why".
  std::shared_ptr<std::vector<std::string>> ask(
      const char* name, std::map<std::string, std::string, std::less<>> arguments = {},
      Role role = Role::kConfigure) {
    auto answers = std::make_shared<std::vector<std::string>>();
    carry_out(targets(),
              {.command = *find_command(name),
               .caller = {.who = "the test", .role = role},
               .arguments = std::move(arguments)},
              [answers](const Answer& answer) {
                std::string text(name_of(answer.state));
                if (answer.state == Answer::State::kFailed)
                  text += " " + std::string(name_of(answer.fault));
                answers->push_back(text + (answer.text.empty() ? "" : ": " + answer.text));
              });
    return answers;
  }
  std::shared_ptr<Response> http(const char* method, const char* path, std::string body = "",
                                 Role role = Role::kConfigure,
                                 std::map<std::string, std::string> query = {}) {
    auto response = std::make_shared<Response>();
    leat::http::ServerRequest request;
    request.method = method;
    request.path = path;
    request.body = std::move(body);
    for (auto& [name, value] : query) request.query.emplace_back(name, value);
    if (!answer_over_http(targets(), {.who = "the test", .role = role}, request, response))
      return nullptr;
    EXPECT_TRUE(wait([&response] { return response->status != 0; }));
    return response;
  }
  const Targets& targets() {
    targets_.emplace(Targets{.supervisor = *supervisor_, .configs = *manager_});
    return *targets_;
  }
  using Answers = std::vector<std::string>;

  std::optional<Targets> targets_;
};

TEST_F(Commands, need_the_role_of_their_row) {
  start("a1");
  EXPECT_EQ(
      *ask("pipeline.pause", {{"pipeline", "a"}}, Role::kRead),
      (Answers{"failed forbidden: pipeline.pause: needs the role operate, and who asks has read"}));
  EXPECT_EQ(
      *ask("config.set", {{"config", "a2"}}, Role::kOperate),
      (Answers{
          "failed forbidden: config.set: needs the role configure, and who asks has operate"}));
  auto paused = ask("pipeline.pause", {{"pipeline", "a"}}, Role::kOperate);
  EXPECT_TRUE(wait([&paused] { return !paused->empty(); })) << "when that is kept";
  EXPECT_EQ(*paused, (Answers{"succeeded: a: pause"}));
}

TEST_F(Commands, refuse_arguments_that_are_missing_or_of_another_type) {
  start("a1");
  EXPECT_EQ(*ask("pipeline.pause"), (Answers{"failed badRequest: pipeline: is missing"}));
  EXPECT_EQ(*ask("config.rollback", {{"to", "-1"}}),
            (Answers{"failed badRequest: to: a whole number, found \"-1\""}));
  EXPECT_EQ(*ask("pipeline.pause", {{"pipeline", "z"}}),
            (Answers{"failed unknown: there is no pipeline \"z\""}));
}

TEST_F(Commands, refuse_arguments_that_they_do_not_take) {
  start("a1");
  EXPECT_EQ(change("a2"), "");
  pass(kProbation);
  EXPECT_EQ(*ask("config.rollback", {{"version", "1"}}),
            (Answers{"failed badRequest: \"version\" is no argument of config.rollback"}));
  EXPECT_EQ(*ask("pipeline.stop", {{"pipeline", "a"}, {"nwo", "true"}}),
            (Answers{"failed badRequest: \"nwo\" is no argument of pipeline.stop, did you mean "
                     "\"now\"?"}));
  EXPECT_EQ(running(), "a2");
  EXPECT_EQ(*ask("config.get", {{"version", "7"}}),
            (Answers{"failed unknown: there is no configuration version 7"}))
      << "of one of its rows";
}

TEST_F(Commands, refuse_parameters_of_a_query_that_they_do_not_take) {
  start("a1");
  auto stop = http("POST", "/api/v1/pipelines/a/stop", "", Role::kConfigure, {{"nwo", "1"}});
  EXPECT_EQ(stop->status, 400);
  EXPECT_EQ(stop->body, "\"nwo\" is no argument of pipeline.stop, did you mean \"now\"?\n");
  auto tap = http("GET", "/api/v1/pipelines/a/tap", "", Role::kConfigure, {{"wher", "x"}});
  EXPECT_EQ(tap->status, 400);
  EXPECT_EQ(running(), "a1");
}

TEST_F(Commands, a_configuration_is_answered_when_it_runs_and_when_its_probation_is_over) {
  start("a1");
  auto answers = ask("config.set", {{"config", "a2"}});
  EXPECT_EQ(running(), "a2");
  EXPECT_EQ(*answers, (Answers{"running"}));
  pass(kProbation);
  EXPECT_EQ(*answers, (Answers{"running", "succeeded"}));
}

TEST_F(Commands, one_that_does_not_do_is_answered_with_why_it_was_taken_back) {
  start("a1");
  auto answers = ask("config.set", {{"config", "a2"}});
  EXPECT_EQ(running(), "a2");
  manager_->pipeline_ended(out_of_luck());
  EXPECT_EQ(*answers, (Answers{"running", "rolledBack: a failed: out of luck"}));
}

TEST_F(Commands, one_that_another_replaces_before_its_probation_is_over_has_failed) {
  start("a1");
  auto first = ask("config.set", {{"config", "a2"}});
  running();
  auto second = ask("config.set", {{"config", "a3"}});
  running();
  EXPECT_EQ(*first, (Answers{"running", "failed conflict: another configuration took its place"}));
  pass(kProbation);
  EXPECT_EQ(*second, (Answers{"running", "succeeded"}));
}

TEST_F(Commands, restart_is_refused_while_the_agent_could_not_begin_anew) {
  start("a1");
  std::string why = "/usr/bin/leat: No such file or directory";
  int ended = 0;
  targets();
  targets_->why_not_anew = [&why] { return why; };
  targets_->end = [&ended](bool again) { ended += again ? 1 : 10; };
  const auto tell = [this](const char* name) {
    std::string answers;
    carry_out(*targets_, {.command = *find_command(name), .caller = {.who = "the test"}},
              [&answers](const Answer& answer) {
                answers += std::string(name_of(answer.state)) + ": " + answer.text + "\n";
              });
    return answers;
  };
  EXPECT_EQ(tell("restart"),
            "failed: it cannot begin anew: /usr/bin/leat: No such file or directory\n");
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(ended, 0);
  why.clear();
  EXPECT_EQ(tell("restart"), "running: it ends in good order, and begins anew\n");
  EXPECT_TRUE(wait([&ended] { return ended != 0; }));
  EXPECT_EQ(ended, 1);
}

TEST_F(Commands, a_tap_ends_in_its_time_however_often_its_pipeline_starts_anew) {
  start("a1");
  auto answers = ask("tap", {{"pipeline", "a"}, {"at", "any"}, {"seconds", "10"}});
  pass(Milliseconds{6'000});
  EXPECT_TRUE(supervisor_->restart("a"));
  pass(Milliseconds{3'000});
  EXPECT_EQ(*answers, Answers{});
  pass(Milliseconds{1'001});
  EXPECT_EQ(*answers, (Answers{"succeeded"}));
}

TEST_F(Commands, what_a_tap_has_seen_is_given_when_the_stage_is_gone) {
  start("a1");
  std::vector<std::string> results;
  carry_out(targets(),
            {.command = *find_command("tap"),
             .caller = {.who = "the test"},
             .arguments = {{"pipeline", "a"}, {"at", "a1"}}},
            [&results](const Answer& answer) { results.push_back(answer.text + answer.result); });
  running();
  world_.there.at("a1")->show("{\"n\":1}");
  EXPECT_EQ(change("a2"), "");
  EXPECT_TRUE(wait([&results] { return !results.empty(); }));
  running();
  EXPECT_EQ(results, (std::vector<std::string>{"{\"n\":1}\n"}));
  EXPECT_EQ(*ask("tap", {{"pipeline", "z"}}),
            (Answers{"failed conflict: there is no pipeline \"z\""}));
}

TEST_F(Commands, dead_letters_are_looked_for_away_from_the_loop) {
  if (find_command("deadLetters.show") == nullptr) GTEST_SKIP() << "built without LEAT_TOOLS";
  start("a1");
  for (const char* name : {"deadLetters.show", "deadLetters.drop", "deadLetters.retry"}) {
    std::map<std::string, std::string, std::less<>> arguments = {{"pipeline", "z"}};
    if (std::string_view(name) != "deadLetters.show") arguments["stage"] = "map";
    auto answers = ask(name, std::move(arguments));
    EXPECT_EQ(*answers, Answers{}) << name << ": the folder is looked at meanwhile";
    EXPECT_TRUE(wait([&answers] { return !answers->empty(); }));
    EXPECT_EQ(*answers,
              (Answers{"failed unknown: there are no dead letters of a pipeline \"z\" in " +
                       (folder_ / "data") + "/dead-letters"}));
  }
}

TEST_F(Commands, over_http_have_the_status_of_their_answer) {
  start("a1");
  EXPECT_EQ(http("GET", "/api/v1/status")->status, 200);
  EXPECT_EQ(http("HEAD", "/api/v1/status")->status, 200);
  auto paused = http("POST", "/api/v1/pipelines/a/pause");
  EXPECT_EQ(paused->status, 202);
  EXPECT_EQ(paused->body, "a: pause\n");
  EXPECT_EQ(http("POST", "/api/v1/pipelines/a/pause", "", Role::kRead)->status, 403);
  EXPECT_EQ(http("POST", "/api/v1/pipelines/z/pause")->status, 404);
  EXPECT_EQ(http("GET", "/api/v1/config/versions/7")->status, 404);
  EXPECT_EQ(http("PUT", "/api/v1/config", "a2")->status, 202);
  unreadable_ = "a3";
  auto wrong = http("PUT", "/api/v1/config", "a3");
  EXPECT_EQ(wrong->status, 422);
  EXPECT_TRUE(wrong->body.starts_with("{\"ok\":false,\"problems\":[{")) << wrong->body;
  auto other = http("DELETE", "/api/v1/config");
  EXPECT_EQ(other->status, 405);
  EXPECT_EQ(other->head, "Allow: GET, PUT\r\n");
  EXPECT_EQ(http("GET", "/metrics"), nullptr) << "which is no command";
  EXPECT_EQ(http("GET", "/api/v1/pipelines/a/tap/more"), nullptr);
}

TEST(ShowsContents, is_said_of_paths_with_records_or_configurations) {
  for (const char* path :
       {"/api/v1/pipelines/p/tap", "/api/v1/config", "/api/v1/config/versions/3"})
    EXPECT_TRUE(shows_contents(path)) << path;
  for (const char* path : {"/api/v1/status", "/api/v1/pipelines", "/metrics"})
    EXPECT_FALSE(shows_contents(path)) << path;
}

}  // namespace
}  // namespace leat::control
