// Signed commands over a connection that the test leads.
#include "control/topic/control_topic.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/json_text.h"
#include "journal/database.h"
#include "managed_configs.h"
#include "protocols/jws/jws.h"
#include "support/faulty_disk.h"

namespace leat::control {
namespace {

using leat::testing::kProbation;

// What the broker has.
struct FakeBroker {
  std::vector<std::string> published;           // "topic payload", or "topic payload (retained)"
  std::map<std::string, std::string> retained;  // by topic
  std::vector<std::string> filters;             // of the last link
  std::string will;
  size_t largest_packet = SIZE_MAX;
  int settled = 0;  // messages
  std::string settled_first;
  int went_on = 0;
  bool refuses = false;
  class FakeLink* link = nullptr;
};

class FakeLink final : public Link {
 public:
  FakeLink(FakeBroker& broker, Loop& loop, OutQueue& queue, LinkUser& user)
      : broker_(broker), queue_(queue), user_(&user), later_(loop) {
    broker_.link = this;
  }
  ~FakeLink() override {
    if (broker_.link == this) broker_.link = nullptr;
  }

  void connect() {
    up_ = true;
    user_->on_link_up();
    send();
  }
  void lose() { up_ = false; }
  // False: not now.
  bool give(InMessage message) {
    message.settled = lifetime_.guard([this, payload = std::string(message.payload)] {
      if (broker_.settled++ == 0) broker_.settled_first = payload;
    });
    return user_->on_message(message);
  }

  bool up() const override { return up_; }
  size_t largest_packet() const override { return broker_.largest_packet; }
  void send() override {
    while (const OutMessage* next = up_ ? queue_.next() : nullptr) {
      publish(*next);
      queue_.sent(0);
    }
  }
  void go_on() override { ++broker_.went_on; }
  void close(OutMessage last, std::function<void()> closed) override {
    user_ = nullptr;
    if (up_) publish(last);
    up_ = false;
    later_.start_next_turn(std::move(closed));
  }

 private:
  void publish(const OutMessage& message) {
    if (message.retain) broker_.retained[message.topic] = message.payload;
    broker_.published.push_back(
        message.topic + " " + message.payload +
        (message.correlation_data.empty() ? "" : " [" + message.correlation_data + "]"));
  }

  FakeBroker& broker_;
  OutQueue& queue_;
  LinkUser* user_;
  bool up_ = false;
  Timer later_;
  Lifetime lifetime_;
};

constexpr Option kOptions[] = {{.name = "url"}};

class ControlTopicTest : public leat::testing::ManagedConfigs {
 protected:
  ControlTopicTest() {
    config_.options = Options(kOptions, "agent.control");
    config_.prefix = "leat";
    config_.keys = {{.id = "ops", .key = std::string(32, 'k'), .role = Role::kOperate},
                    {.id = "fleet", .key = std::string(32, 'f'), .role = Role::kConfigure}};
  }
  void TearDown() override {
    control_.reset();
    ManagedConfigs::TearDown();
  }

  // An agent starts, and its connection is up.
  void begin() {
    start("a1");
    open();
  }
  void open() {
    targets_.emplace(Targets{
        .supervisor = *supervisor_, .configs = *manager_, .end = [](bool) { return true; }});
    control_ = std::make_unique<ControlTopic>(ControlTopicSetup{
        .targets = *targets_,
        .make_link = [this](LinkWish wish, OutQueue& queue,
                            LinkUser& user) -> Result<std::unique_ptr<Link>> {
          if (broker_.refuses) return fail(ErrorKind::kUsage, "no such certificate");
          broker_.filters = wish.topics;
          broker_.will = wish.will.topic + " " + wish.will.payload;
          return std::unique_ptr<Link>(new FakeLink(broker_, supervisor_->loop(), queue, user));
        },
        .clock_is_right = [] { return false; },
        .public_key = public_key_});
    control_->begin("gw", &config_);
    EXPECT_TRUE(wait([this] { return broker_.link != nullptr; }));
    broker_.link->connect();
    running();
  }
  void restart_agent() {
    running();
    control_.reset();
    die();
    start("a1");
    open();
  }

  std::string signed_as(const std::string& key, const std::string& command, const std::string& id,
                        const std::string& arguments = "{}", const std::string& to = "gw") {
    const std::string payload =
        "{\"aud\":\"" + to + "\",\"jti\":\"" + id + "\",\"counter\":" + std::to_string(++counter_) +
        ",\"exp\":4000000000,\"command\":\"" + command + "\",\"arguments\":" + arguments + "}";
    const std::string secret(32, key == "ops" ? 'k' : 'f');
    return *jws::sign(*jws::Key::secret(secret), key, payload);
  }
  bool give(const std::string& message, const std::string& answer_to = "",
            const std::string& data = "") {
    return broker_.link->give(
        {.payload = message, .response_topic = answer_to, .correlation_data = data});
  }
  // Commands one after the other, each settled.
  void command(const std::string& key, const std::string& name, const std::string& id,
               const std::string& arguments = "{}") {
    EXPECT_TRUE(give(signed_as(key, name, id, arguments)));
    running();
  }
  // Of the answers to this command, what they say of its state, and why.
  std::vector<std::string> answers(const std::string& id, const std::string& at = "leat/gw/reply") {
    std::vector<std::string> out;
    for (const std::string& one : broker_.published) {
      if (!one.starts_with(at + " {")) continue;
      Json json(cJSON_Parse(one.c_str() + at.size() + 1), cJSON_Delete);
      if (text(json.get(), "correlation") != id) continue;
      const cJSON* error = cJSON_GetObjectItem(json.get(), "error");
      const std::string why = text(json.get(), "text") + text(error, "code") + (error ? ": " : "") +
                              text(error, "text");
      out.push_back(text(json.get(), "state") + (why.empty() ? "" : " " + why));
    }
    return out;
  }
  std::string state(const std::string& id) {
    auto found = broker_.retained.find("leat/gw/cmd/" + id + "/state");
    if (found == broker_.retained.end()) return "";
    Json json(cJSON_Parse(found->second.c_str()), cJSON_Delete);
    return text(json.get(), "state");
  }
  static std::string text(const cJSON* object, const char* name) {
    const char* found = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    return found == nullptr ? "" : found;
  }
  using Answers = std::vector<std::string>;

  leat::testing::FaultyDisk disk_{folder_ / "data"};
  FakeBroker broker_;
  ControlConfig config_;
  std::optional<Targets> targets_;
  std::unique_ptr<ControlTopic> control_;
  uint64_t counter_ = 0;
  std::function<Result<std::string>()> public_key_;
};

TEST_F(ControlTopicTest, listens_for_the_agent_and_its_groups_and_tells_how_it_is) {
  config_.groups = {"site-a"};
  begin();
  EXPECT_EQ(broker_.filters, (std::vector<std::string>{"leat/gw/cmd", "leat/site-a/cmd"}));
  EXPECT_EQ(broker_.will, "leat/gw/status {\"online\":false,\"id\":\"gw\"}");
  EXPECT_EQ(
      broker_.retained.at("leat/gw/status"),
      R"({"online":true,"id":"test","version":"","groups":["site-a"],"config":{"version":1,)"
      R"("origin":"file","state":"good"},"pipelines":[{"name":"a","state":"running","trouble":false}]})");
}

TEST_F(ControlTopicTest, the_status_has_the_key_to_which_secrets_are_sealed) {
  int asked = 0;
  public_key_ = [&asked]() -> Result<std::string> {
    ++asked;
    return std::string("-----BEGIN PUBLIC KEY-----\n");
  };
  begin();
  const std::string member = R"("groups":[],"sealTo":"-----BEGIN PUBLIC KEY-----\n","config")";
  EXPECT_TRUE(wait([&] {
    loop_->advance(Milliseconds{1'000});
    return broker_.retained.at("leat/gw/status").find(member) != std::string::npos;
  })) << broker_.retained.at("leat/gw/status");
  ControlConfig other = config_;
  other.prefix = "plant";
  ASSERT_TRUE(control_->set("gw", &other));
  broker_.link->connect();
  running();
  EXPECT_NE(broker_.retained.at("plant/gw/status").find(member), std::string::npos);
  EXPECT_EQ(asked, 1);
}

TEST_F(ControlTopicTest, a_command_acts_once_and_is_answered) {
  begin();
  const std::string message = signed_as("ops", "pipeline.pause", "c-1", R"({"pipeline":"a"})");
  EXPECT_TRUE(give(message));
  running();
  EXPECT_EQ(answers("c-1"), (Answers{"succeeded a: pause"}));
  EXPECT_EQ(state("c-1"), "succeeded");
  EXPECT_EQ(broker_.settled, 1);

  EXPECT_TRUE(give(message)) << "the broker sends it again";
  running();
  EXPECT_EQ(answers("c-1"), (Answers{"succeeded a: pause", "succeeded a: pause"}));
  EXPECT_EQ(broker_.settled, 2);
  command("ops", "pipeline.resume", "c-2", R"({"pipeline":"a"})");
  EXPECT_EQ(answers("c-2"), (Answers{"succeeded a: resume"}));
}

TEST_F(ControlTopicTest, one_that_only_looks_has_no_state_to_keep) {
  begin();
  command("ops", "ping", "c-1");
  EXPECT_EQ(answers("c-1"), (Answers{"succeeded"}));
  EXPECT_EQ(state("c-1"), "");
}

TEST_F(ControlTopicTest, is_put_into_the_journal_before_it_acts_and_before_the_broker_forgets_it) {
  begin();
  EXPECT_TRUE(give(signed_as("ops", "pipeline.pause", "c-1", R"({"pipeline":"a"})")));
  EXPECT_EQ(broker_.settled, 0);
  EXPECT_EQ(answers("c-1"), Answers{});
  EXPECT_FALSE(give(signed_as("ops", "ping", "c-2"))) << "one at a time";
  running();
  EXPECT_EQ(broker_.settled, 1);
  EXPECT_EQ(answers("c-1").size(), 1U);
}

TEST_F(ControlTopicTest, while_nothing_happens_it_says_nothing_and_writes_nothing) {
  const auto written = [this] {
    uint64_t bytes = 0;
    supervisor_->snapshot([&bytes](const Snapshot& now) { bytes = now.journal_written_bytes; });
    running();
    return bytes;
  };
  begin();
  pass(Milliseconds{10'000});  // its status is said, and it is subscribed
  const size_t said = broker_.published.size();
  const uint64_t before = written();
  EXPECT_EQ(loop_->next_due(), std::nullopt) << "nothing wakes it";
  pass(Milliseconds{3'600'000});
  EXPECT_EQ(broker_.published.size(), said);
  EXPECT_EQ(written(), before);
}

TEST_F(ControlTopicTest, answers_where_the_sender_wants_it) {
  begin();
  EXPECT_TRUE(give(signed_as("ops", "ping", "c-1"), "desk/7", "data"));
  running();
  EXPECT_EQ(answers("c-1", "desk/7"), (Answers{"succeeded"}));
  EXPECT_TRUE(broker_.published.back().ends_with(" [data]"));
  EXPECT_TRUE(give(signed_as("ops", "ping", "c-2"), "desk/#", "data")) << "which is no topic";
  running();
  EXPECT_EQ(answers("c-2"), (Answers{"succeeded"}));
}

TEST_F(ControlTopicTest, what_nobody_signed_is_not_answered) {
  begin();
  std::string message = signed_as("ops", "pipeline.pause", "c-1", R"({"pipeline":"a"})");
  message[message.size() - 3] = message[message.size() - 3] == 'A' ? 'B' : 'A';
  const size_t before = broker_.published.size();
  EXPECT_TRUE(give(message));
  EXPECT_TRUE(give("no command at all"));
  EXPECT_TRUE(broker_.link->give({.payload = "", .cut = true}));
  running();
  EXPECT_EQ(broker_.settled, 3);
  for (size_t i = before; i < broker_.published.size(); ++i)
    EXPECT_TRUE(broker_.published[i].starts_with("leat/gw/events {")) << broker_.published[i];
  EXPECT_EQ(running(), "a1");
}

TEST_F(ControlTopicTest, who_has_the_key_is_told_why_it_was_refused) {
  begin();
  const std::string old = signed_as("ops", "ping", "c-1");
  command("ops", "ping", "c-2");
  EXPECT_TRUE(give(old));
  command("ops", "config.set", "c-3", R"({"config":"a2"})");
  command("ops", "no.such", "c-4");
  command("fleet", "pipeline.pause", "c-5");
  EXPECT_TRUE(answers("c-1").at(0).starts_with("failed forbidden: ")) << answers("c-1").at(0);
  EXPECT_EQ(
      answers("c-3"),
      (Answers{
          "failed forbidden: config.set: needs the role configure, and who asks has operate"}));
  EXPECT_EQ(answers("c-4"), (Answers{"failed unknown: there is no command \"no.such\""}));
  EXPECT_EQ(answers("c-5"), (Answers{"failed badRequest: pipeline: is missing"}));
  EXPECT_EQ(running(), "a1");
}

TEST_F(ControlTopicTest, a_good_command_waits_while_too_many_were_looked_at_in_vain) {
  begin();
  const std::string large = "{" + std::string(100'000, ' ') + "}";  // so it costs time
  std::string bad = signed_as("ops", "ping", "c-1", large);
  bad[bad.size() - 3] = bad[bad.size() - 3] == 'A' ? 'B' : 'A';
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(give(bad));
  running();
  const std::string good = signed_as("ops", "ping", "c-2", large);
  EXPECT_FALSE(give(good)) << "the broker keeps it";
  EXPECT_FALSE(give(signed_as("ops", "ping", "c-3"))) << "and what is behind it";
  running();
  EXPECT_EQ(broker_.settled, 5);
  EXPECT_EQ(broker_.went_on, 0);
  pass(Milliseconds{1'001});
  EXPECT_EQ(broker_.went_on, 1);
  EXPECT_TRUE(give(good));
  running();
  EXPECT_EQ(answers("c-2"), (Answers{"succeeded"}));
}

TEST_F(ControlTopicTest, where_what_came_before_cannot_be_read_nothing_acts) {
  start("a1");
  // It has nothing of the file in its memory, and gets nothing of it any more.
  supervisor_->journal().work_on(
      false,
      [this](std::unique_ptr<JournalDatabase>& journal) -> Result<std::string> {
        EXPECT_EQ(sqlite3_db_release_memory(journal->handle()), SQLITE_OK);
        disk_.fail(
            {.call = leat::testing::DiskCall::kRead, .times = leat::testing::DiskFault::kForEver});
        return "";
      },
      [](const Result<std::string>& done) { EXPECT_TRUE(done); });
  open();
  disk_.mend();
  command("ops", "pipeline.pause", "c-1", R"({"pipeline":"a"})");
  EXPECT_EQ(answers("c-1"),
            (Answers{"failed unavailable: which commands came before cannot be read "
                     "from the journal"}));
  EXPECT_EQ(state("c-1"), "");
  EXPECT_EQ(running(), "a1");
}

TEST_F(ControlTopicTest, what_became_of_commands_is_counted) {
  begin();
  command("ops", "pipeline.pause", "c-1", R"({"pipeline":"a"})");
  command("ops", "pipeline.pause", "c-2", R"({"pipeline":"z"})");
  command("ops", "no.such", "c-3");
  command("ops", "config.set", "c-4", R"({"config":"a2"})");
  EXPECT_TRUE(give("junk"));
  command("fleet", "config.set", "c-5", R"({"config":"a2"})");
  std::vector<std::string> ended;
  std::vector<std::string> refused;
  auto look = [&] {
    bool answered = false;
    supervisor_->snapshot([&](const Snapshot& snapshot) {
      answered = true;
      ASSERT_TRUE(snapshot.control);
      EXPECT_TRUE(snapshot.control->connected);
      ended.clear();
      for (const ControlStatus::Ended& one : snapshot.control->ended)
        ended.push_back(one.command + " " + std::string(one.state) + " " +
                        std::to_string(one.count));
      refused.clear();
      for (const ControlStatus::Refused& one : snapshot.control->refused)
        if (one.count > 0)
          refused.push_back(std::string(one.reason) + " " + std::to_string(one.count));
    });
    EXPECT_TRUE(wait([&answered] { return answered; }));
  };
  look();
  EXPECT_EQ(ended,
            (Answers{"other failed 1", "pipeline.pause failed 1", "pipeline.pause succeeded 1"}))
      << "one that runs has not ended, and one that was refused has not begun";
  EXPECT_EQ(refused, (Answers{"malformed 1", "role 1"}));
  pass(kProbation);
  look();
  EXPECT_EQ(ended.front(), "config.set succeeded 1");
}

TEST_F(ControlTopicTest, what_is_refused_settles_itself_and_not_the_command_behind_it) {
  begin();
  EXPECT_TRUE(give("junk"));
  EXPECT_TRUE(give(signed_as("ops", "ping", "c-1")));
  EXPECT_TRUE(wait([this] { return broker_.settled > 0; }));
  EXPECT_EQ(broker_.settled_first, "junk");
  running();
  EXPECT_EQ(broker_.settled, 2);
}

TEST_F(ControlTopicTest, one_at_a_time_over_another_connection_too) {
  begin();
  EXPECT_TRUE(give(signed_as("ops", "ping", "c-1")));
  ControlConfig other = config_;
  other.prefix = "plant";
  ASSERT_TRUE(control_->set("gw", &other));
  broker_.link->connect();
  const std::string next = signed_as("ops", "ping", "c-2");
  EXPECT_FALSE(give(next)) << "the first is not in the journal yet";
  running();
  EXPECT_GE(broker_.went_on, 1);
  EXPECT_TRUE(give(next));
  running();
  EXPECT_EQ(answers("c-2", "plant/gw/reply"), (Answers{"succeeded"}));
}

TEST_F(ControlTopicTest, what_its_role_forbids_leaves_no_state) {
  begin();
  command("ops", "config.set", "c-1", R"({"config":"a2"})");
  EXPECT_EQ(
      answers("c-1"),
      (Answers{
          "failed forbidden: config.set: needs the role configure, and who asks has operate"}));
  EXPECT_FALSE(broker_.retained.contains("leat/gw/cmd/c-1/state"));
}

TEST_F(ControlTopicTest, a_configuration_is_followed_to_the_end_of_its_probation) {
  begin();
  command("fleet", "config.set", "c-1", R"({"config":"a2"})");
  EXPECT_EQ(running(), "a2");
  EXPECT_EQ(state("c-1"), "running");
  pass(kProbation);
  EXPECT_EQ(answers("c-1"), (Answers{"running", "succeeded"}));
  EXPECT_EQ(state("c-1"), "succeeded");

  command("fleet", "config.set", "c-2", R"({"config":"a3"})");
  running();
  manager_->pipeline_ended(out_of_luck());
  EXPECT_EQ(answers("c-2"), (Answers{"running", "rolledBack a failed: out of luck"}));
  EXPECT_EQ(state("c-2"), "rolledBack");
}

TEST_F(ControlTopicTest, what_a_death_cuts_short_is_told_at_the_next_start) {
  begin();
  command("fleet", "config.set", "c-1", R"({"config":"a2"})");
  running();
  restart_agent();
  EXPECT_EQ(state("c-1"), "rolledBack");
  EXPECT_EQ(answers("c-1").back(), "rolledBack the agent died while it was on probation");
}

TEST_F(ControlTopicTest, a_command_under_way_at_a_death_is_interrupted_and_acts_no_more) {
  begin();
  world_.drains_slowly.insert("a1");
  const std::string message = signed_as("ops", "pipeline.pause", "c-1", R"({"pipeline":"a"})");
  JournalClient& journal = supervisor_->journal();
  bool kept = false;
  journal.commit("",
                 {TakenCommands::saved({.correlation = "c-9",
                                        .command = "pipeline.pause",
                                        .changes = true,
                                        .base = "leat/gw",
                                        .number = 1})},
                 [&kept](const Status&) { kept = true; });
  EXPECT_TRUE(wait([&kept] { return kept; }));
  world_.drains_slowly.clear();
  restart_agent();
  EXPECT_EQ(state("c-9"), "interrupted");
  EXPECT_TRUE(give(signed_as("ops", "pipeline.pause", "c-9", R"({"pipeline":"a"})")));
  running();
  EXPECT_EQ(running(), "a1") << "it is not paused";
  EXPECT_EQ(answers("c-9").size(), 2U);
}

TEST_F(ControlTopicTest, a_restart_that_was_asked_for_has_succeeded_after_it) {
  begin();
  command("ops", "restart", "c-1");
  restart_agent();
  EXPECT_EQ(answers("c-1").back(), "succeeded the agent has started");
}

TEST_F(ControlTopicTest, answers_wait_for_the_connection_and_pipelines_do_not) {
  begin();
  command("fleet", "config.set", "c-1", R"({"config":"a2"})");
  running();
  broker_.link->lose();
  pass(kProbation);
  EXPECT_EQ(answers("c-1"), (Answers{"running"}));
  broker_.link->connect();
  running();
  EXPECT_EQ(answers("c-1"), (Answers{"running", "succeeded"}));
  EXPECT_EQ(running(), "a2");
}

TEST_F(ControlTopicTest, an_answer_that_is_longer_than_the_broker_takes_comes_in_parts) {
  begin();
  broker_.largest_packet = 700;
  const size_t before = broker_.published.size();
  command("ops", "status", "c-1");
  size_t parts = 0;
  for (size_t i = before; i < broker_.published.size(); ++i)
    parts += broker_.published[i].starts_with("leat/gw/reply {\"correlation\":\"c-1\",\"part\":");
  EXPECT_GT(parts, 1U);
}

TEST_F(ControlTopicTest, an_idle_agent_publishes_and_writes_nothing) {
  begin();
  pass(Milliseconds{5'000});
  const size_t before = broker_.published.size();
  for (int i = 0; i < 10; ++i) pass(Milliseconds{60'000});
  EXPECT_EQ(broker_.published.size(), before);
  EXPECT_EQ(loop_->next_due(), std::nullopt) << "and no timer wakes it";
}

TEST_F(ControlTopicTest, another_configuration_of_it_says_goodbye_where_it_was) {
  begin();
  ControlConfig other = config_;
  other.prefix = "plant";
  ASSERT_TRUE(control_->set("gw", &other));
  running();
  EXPECT_EQ(broker_.retained.at("leat/gw/status"), R"({"online":false,"id":"gw"})");
  ASSERT_NE(broker_.link, nullptr);
  broker_.link->connect();
  running();
  EXPECT_EQ(broker_.filters, (std::vector<std::string>{"plant/gw/cmd"}));
  EXPECT_TRUE(broker_.retained.contains("plant/gw/status"));
  command("ops", "ping", "c-1");
  EXPECT_EQ(answers("c-1", "plant/gw/reply"), (Answers{"succeeded"}));
}

TEST_F(ControlTopicTest, other_keys_are_asked_for_over_the_same_connection) {
  begin();
  const FakeLink* before = broker_.link;
  ControlConfig other = config_;
  other.keys[0].key = std::string(32, 'n');
  ASSERT_TRUE(control_->set("gw", &other));
  EXPECT_EQ(broker_.link, before) << "what is under way on it would come twice";
  EXPECT_TRUE(control_->connected());
  EXPECT_TRUE(control_->is("gw", &other));
  command("ops", "ping", "c-1");
  EXPECT_EQ(answers("c-1"), Answers{}) << "signed with the old one";
  command("fleet", "ping", "c-2");
  EXPECT_EQ(answers("c-2"), (Answers{"succeeded"}));
}

TEST_F(ControlTopicTest, what_was_asked_elsewhere_is_answered_there) {
  begin();
  command("fleet", "config.set", "c-1", R"({"config":"a2"})");
  running();
  ASSERT_TRUE(control_->set("gw", nullptr));
  running();
  EXPECT_EQ(broker_.link, nullptr);
  pass(kProbation);
  ASSERT_TRUE(control_->set("gw", &config_));
  broker_.link->connect();
  EXPECT_EQ(answers("c-1"), (Answers{"running", "succeeded"}));
  EXPECT_EQ(state("c-1"), "succeeded");
}

TEST_F(ControlTopicTest, one_that_cannot_be_leaves_what_was) {
  begin();
  ControlConfig other = config_;
  other.prefix = "plant";
  broker_.refuses = true;
  EXPECT_FALSE(control_->set("gw", &other));
  command("ops", "ping", "c-1");
  EXPECT_EQ(answers("c-1"), (Answers{"succeeded"}));
}

TEST_F(ControlTopicTest, at_the_end_the_status_says_that_it_has_gone) {
  begin();
  bool closed = false;
  control_->close([&closed] { closed = true; });
  EXPECT_TRUE(wait([&closed] { return closed; }));
  EXPECT_EQ(broker_.retained.at("leat/gw/status"), R"({"online":false,"id":"gw"})");
}

}  // namespace
}  // namespace leat::control
