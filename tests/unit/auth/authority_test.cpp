// Who may command: an agent called gw-17 of the group site-a, whose journal outlives it.
#include "control/auth/authority.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat::control {
namespace {

const std::string kOps = "secret of ops: 32 bytes, or more";
const std::string kOther = "secret of somebody: 32 bytes too";

// The signed text of a command.
struct Draft {
  std::string to = "gw-17";
  uint64_t counter = 1;
  std::string correlation = "c-1";
  int64_t expires = 1'760'003'600;  // an hour after FakeClock begins
  int64_t not_before = 1'760'000'000;
  std::string arguments = "{}";

  std::string payload() const {
    return "{\"aud\":\"" + to + "\",\"jti\":\"" + correlation +
           "\",\"counter\":" + std::to_string(counter) + ",\"nbf\":" + std::to_string(not_before) +
           ",\"exp\":" + std::to_string(expires) +
           ",\"command\":\"pipeline.pause\",\"arguments\":" + arguments + "}";
  }
};

class AuthorityTest : public ::testing::Test {
 protected:
  AuthorityTest() { start(); }
  ~AuthorityTest() override {
    stop();
    EXPECT_TRUE(loop_.close());
  }

  void start() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    ASSERT_TRUE(journal) << journal.error().message();
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
    authority_ = std::make_unique<Authority>(
        AuthoritySetup{.clock = loop_.clock(),
                       .journal = *client_,
                       .clock_is_right = [this] { return clock_is_right_; },
                       .seen = [this](const std::string& one) { return taken_.contains(one); }});
    authority_->set("gw-17", {"site-a"}, keys());
  }

  void load() {
    bool loaded = false;
    client_->load("", [this, &loaded](const Result<std::vector<SavedPosition>>& saved) {
      ASSERT_TRUE(saved);
      authority_->restore(*saved);
      loaded = true;
    });
    ASSERT_TRUE(testing::run_until(loop_, [&loaded] { return loaded; }));
  }

  void stop() {
    authority_.reset();
    client_.reset();
    journal_.reset();
    uv_run(loop_.uv(), UV_RUN_DEFAULT);
  }

  void restart() {
    stop();
    start();
    load();
  }

  std::vector<ControlKey> keys() const {
    return {
        {.id = "ops", .key = kOps, .role = Role::kOperate},
        {.id = "fleet", .is_public = true, .key = fleet_.public_pem(), .role = Role::kConfigure}};
  }

  static std::string by_ops(const Draft& draft) {
    return jws::sign(jws::Key::secret(kOps).value(), "ops", draft.payload()).value();
  }
  std::string by_fleet(const Draft& draft) const {
    P256Key copy = P256Key::from_pem(fleet_.private_pem()).value();
    return jws::sign(jws::Key(std::move(copy)), "fleet", draft.payload()).value();
  }

  // What is said of it: "admitted", "seen", "later", or why not.
  std::string admit(const std::string& message) {
    Verdict verdict = authority_->admit(message);
    if (verdict.later.count() > 0) return "later";
    if (verdict.refusal) {
      EXPECT_TRUE(!verdict.command || is_from_key_holder(*verdict.refusal));
      return std::string(name_of(*verdict.refusal));
    }
    EXPECT_TRUE(verdict.command);
    if (verdict.command && !verdict.seen) admitted_.push_back(std::move(*verdict.command));
    return verdict.seen ? "seen" : "admitted";
  }

  void consume(const SignedCommand& command) {
    bool kept = false;
    authority_->consume(command, true, {}, [&kept](const Status& status) {
      EXPECT_TRUE(status);
      kept = true;
    });
    ASSERT_TRUE(testing::run_until(loop_, [&kept] { return kept; }));
  }

  P256Key fleet_ = P256Key::make().value();
  testing::TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  std::unique_ptr<Authority> authority_;
  bool clock_is_right_ = true;
  std::set<std::string> taken_;
  std::vector<SignedCommand> admitted_;
};

TEST_F(AuthorityTest, a_signed_command_comes_with_what_its_key_may) {
  load();
  EXPECT_EQ(admit(by_ops({.arguments = "{\"pipeline\":\"a\"}"})), "admitted");
  EXPECT_EQ(admit(by_fleet({.correlation = "c-2"})), "admitted");
  ASSERT_EQ(admitted_.size(), 2U);
  EXPECT_EQ(admitted_[0].key, "ops");
  EXPECT_EQ(admitted_[0].role, Role::kOperate);
  EXPECT_EQ(admitted_[0].command, "pipeline.pause");
  EXPECT_EQ(admitted_[0].correlation, "c-1");
  EXPECT_EQ(jws::string_member(admitted_[0].arguments.get(), "pipeline"), "a");
  EXPECT_EQ(admitted_[1].role, Role::kConfigure);
  EXPECT_EQ(authority_->refusals().total(), 0U);
}

TEST_F(AuthorityTest, who_has_no_key_is_refused_and_told_nothing) {
  load();
  auto other = jws::Key::secret(kOther).value();
  const std::string payload = Draft().payload();
  EXPECT_EQ(admit(payload), "malformed");
  EXPECT_EQ(admit(""), "malformed");
  EXPECT_EQ(admit(std::string(kLongestCommand + 1, '.')), "oversized");
  EXPECT_EQ(admit(jws::sign(other, "somebody", payload).value()), "unknown key");
  EXPECT_EQ(admit(jws::sign(other, "", payload).value()), "unknown key");
  EXPECT_EQ(admit(jws::sign(other, "ops", payload).value()), "bad signature");
  EXPECT_EQ(admit(jws::sign(other, "fleet", payload).value()), "bad signature");
  EXPECT_EQ(authority_->refusals().total(), 7U);
  const std::string good = by_ops({});
  EXPECT_EQ(admit(good.substr(0, good.size() - 3)), "bad signature");
  EXPECT_EQ(admit(good), "admitted") << "none of those has used it up";
}

TEST_F(AuthorityTest, the_public_key_of_another_is_not_a_secret_that_signs) {
  load();
  auto as_secret = jws::Key::secret(fleet_.public_pem()).value();
  EXPECT_EQ(admit(jws::sign(as_secret, "fleet", Draft().payload()).value()), "bad signature");
}

TEST_F(AuthorityTest, what_is_for_another_agent_or_group_is_refused) {
  load();
  EXPECT_EQ(admit(by_ops({.to = "gw-18"})), "other addressee");
  EXPECT_EQ(admit(by_ops({.to = "site-b"})), "other addressee");
  EXPECT_EQ(admit(by_ops({.to = "site-a"})), "admitted");
  authority_->set("gw-18", {}, keys());
  EXPECT_EQ(admit(by_ops({.to = "site-a", .counter = 2})), "other addressee");
  EXPECT_EQ(admit(by_ops({.to = "gw-18", .counter = 2})), "admitted");
}

TEST_F(AuthorityTest, a_command_acts_once) {
  load();
  const std::string sent = by_ops({.counter = 5});
  EXPECT_EQ(admit(sent), "admitted");
  EXPECT_EQ(admit(sent), "replayed") << "before it is consumed, too";
  EXPECT_EQ(admit(by_ops({.counter = 4})), "replayed") << "an older one";
  EXPECT_EQ(admit(by_fleet({.counter = 1})), "admitted") << "each key has its own counter";
  EXPECT_EQ(admit(by_ops({.counter = 6})), "admitted");
}

TEST_F(AuthorityTest, a_consumed_command_is_known_after_a_restart) {
  load();
  const std::string sent = by_ops({.counter = 5});
  ASSERT_EQ(admit(sent), "admitted");
  consume(admitted_[0]);
  restart();
  EXPECT_EQ(admit(sent), "replayed");
  EXPECT_EQ(admit(by_ops({.counter = 6})), "admitted");
}

TEST_F(AuthorityTest, a_key_that_was_taken_away_and_given_back_remembers_its_counter) {
  load();
  const std::string sent = by_ops({.counter = 5});
  ASSERT_EQ(admit(sent), "admitted");
  consume(admitted_[0]);
  authority_->set("gw-17", {}, {});
  EXPECT_EQ(admit(sent), "unknown key");
  restart();
  EXPECT_EQ(admit(sent), "replayed");
}

TEST_F(AuthorityTest, nothing_acts_before_the_counters_are_read) {
  EXPECT_EQ(admit(by_ops({})), "unavailable");
  load();
  EXPECT_EQ(admit(by_ops({})), "admitted");
}

TEST_F(AuthorityTest, one_with_the_correlation_of_another_is_seen_and_never_acts) {
  load();
  ASSERT_EQ(admit(by_ops({.counter = 5})), "admitted");
  taken_.insert("c-1");
  const std::string same_name = by_ops({.counter = 7});
  EXPECT_EQ(admit(by_ops({.counter = 5})), "seen") << "delivered again by the broker";
  EXPECT_EQ(admit(same_name), "seen");
  taken_.clear();
  EXPECT_EQ(admit(same_name), "replayed") << "when it is forgotten, too";
  EXPECT_EQ(authority_->refusals().total(), 1U);
}

TEST_F(AuthorityTest, the_window_counts_when_the_clock_is_right) {
  load();
  EXPECT_EQ(admit(by_ops({.expires = 1'760'000'000})), "expired");
  EXPECT_EQ(admit(by_ops({.not_before = 1'760'000'001})), "too early");
  loop_.advance(std::chrono::seconds(1));
  EXPECT_EQ(admit(by_ops({.not_before = 1'760'000'001})), "admitted");
  loop_.advance(std::chrono::hours(1));
  EXPECT_EQ(admit(by_ops({.counter = 2})), "expired");
}

TEST_F(AuthorityTest, a_clock_that_is_years_off_keeps_nobody_out) {
  clock_is_right_ = false;
  load();
  EXPECT_EQ(admit(by_ops({.counter = 1, .expires = 5})), "admitted");
  EXPECT_EQ(admit(by_ops({.counter = 2, .not_before = 4'000'000'000})), "admitted");
  EXPECT_EQ(admit(by_ops({.counter = 2})), "replayed") << "the counter protects alone";
}

TEST_F(AuthorityTest, a_clock_that_was_right_once_is_taken_for_right) {
  load();
  EXPECT_EQ(admit(by_ops({.expires = 5})), "expired");
  clock_is_right_ = false;  // its server is away
  EXPECT_EQ(admit(by_ops({.expires = 5})), "expired");
}

// Else one command of a desk whose clock is wrong would lock its key out for years.
TEST_F(AuthorityTest, a_counter_far_ahead_of_the_time_is_not_taken) {
  load();
  EXPECT_EQ(admit(by_ops({.counter = 4'000'000'000'000'000})), "counter ahead");
  EXPECT_EQ(admit(by_ops({.counter = 1'760'000'000'000'000})), "admitted") << "as leat sign does";
  EXPECT_EQ(admit(by_ops({.counter = 1'760'000'000'000'001})), "admitted");
}

TEST_F(AuthorityTest, a_flood_of_bad_signatures_costs_few_verifications_a_second) {
  load();
  const std::string bad =
      jws::sign(jws::Key(P256Key::make().value()), "fleet", Draft().payload()).value();
  for (int i = 0; i < 1000; ++i) admit(bad);
  const auto& counts = authority_->refusals().counts();
  EXPECT_LE(counts[static_cast<size_t>(Refusal::kBadSignature)], 10U);
  const uint64_t refused = authority_->refusals().total();
  Verdict good = authority_->admit(by_fleet({}));
  EXPECT_GT(good.later.count(), 0) << "it is not refused, but waits";
  EXPECT_LE(good.later.count(), 1'001);
  EXPECT_FALSE(good.refusal);
  EXPECT_EQ(authority_->refusals().total(), refused);
  EXPECT_EQ(admit(by_ops({})), "admitted") << "what costs little goes on";
  loop_.advance(std::chrono::seconds(1));
  EXPECT_EQ(admit(by_fleet({})), "admitted");
}

TEST_F(AuthorityTest, a_flood_of_one_good_command_costs_no_more) {
  load();
  const std::string sent = by_fleet({});
  ASSERT_EQ(admit(sent), "admitted");
  for (int i = 0; i < 1000; ++i) admit(sent);
  EXPECT_LE(authority_->refusals().counts()[static_cast<size_t>(Refusal::kReplayed)], 10U);
}

TEST_F(AuthorityTest, what_a_key_signs_anew_for_other_agents_delays_nobody) {
  load();
  std::vector<std::string> sent;
  for (uint64_t i = 1; i <= 20; ++i) sent.push_back(by_fleet({.to = "gw-18", .counter = i}));
  for (const std::string& one : sent) EXPECT_EQ(admit(one), "other addressee");
  EXPECT_EQ(admit(by_fleet({.counter = 21})), "admitted");
  for (const std::string& one : sent) admit(one);
  EXPECT_EQ(admit(sent[0]), "later") << "but what was sent before keeps the agent busy no longer";
  taken_.insert("c-1");
  loop_.advance(std::chrono::seconds(1));
  for (uint64_t i = 22; i <= 30; ++i) EXPECT_EQ(admit(by_fleet({.counter = i})), "seen");
}

TEST_F(AuthorityTest, what_its_key_holder_signed_wrongly_is_no_command) {
  load();
  const auto key = jws::Key::secret(kOps).value();
  EXPECT_EQ(admit(jws::sign(key, "ops", "{\"command\":\"ping\"}").value()), "unreadable");
  EXPECT_EQ(admit(jws::sign(key, "ops", "").value()), "unreadable");
}

// A configuration is checked before; what comes from the journal may be of another build.
TEST_F(AuthorityTest, a_key_that_cannot_be_used_is_none) {
  authority_->set("gw-17", {}, {{.id = "ops", .key = "short"}, {.id = "fleet", .is_public = true}});
  load();
  EXPECT_EQ(admit(by_ops({})), "unknown key");
}

}  // namespace
}  // namespace leat::control
