// The source `internal` as it tells of events.
#include <string>
#include <vector>

#include "support/source_harness.h"

namespace leat {

extern const SourceType kInternalSource;

namespace testing {
namespace {

class EventsTest : public SourceHarness {
 protected:
  EventsTest() : SourceHarness(kInternalSource) {
    options_.set("tell", std::string("events"));
    options_.set("minInterval", int64_t{60'000});
  }
  bool bounded() override { return true; }  // it ends with the agent
  void given(BatchRef batch) override {
    for (const Record& record : batch->records) append_json(lines_.emplace_back(), record);
  }
  void hear_agent(HearEvent heard) override { heard_ = std::move(heard); }
  void happens(EventKind kind, const std::string& pipeline, const std::string& text) {
    const AgentEvent event{kind, pipeline, text, loop_.clock().unix_us()};
    heard_(&event);
  }
  void advance(int64_t ms) { loop_.advance(Milliseconds{ms}); }

  HearEvent heard_;
  std::vector<std::string> lines_;
};

TEST_F(EventsTest, an_event_is_told_at_once) {
  start();
  happens(EventKind::kCircuitOpened, "press", "connection refused");
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0], R"({"agent":"gw-1","time":"2025-10-09T08:53:20Z","event":"circuitOpened",)"
                       R"("pipeline":"press","text":"connection refused","count":1})");
}

TEST_F(EventsTest, one_that_repeats_is_counted_and_told_once_in_an_interval) {
  start();
  happens(EventKind::kDeadLetters, "press", "one");
  for (int i = 0; i < 5; ++i) {
    advance(1'000);
    happens(EventKind::kDeadLetters, "press", "again " + std::to_string(i));
  }
  EXPECT_EQ(lines_.size(), 1U);
  happens(EventKind::kDeadLetters, "mill", "of another pipeline");
  happens(EventKind::kCircuitOpened, "press", "of another kind");
  EXPECT_EQ(lines_.size(), 3U);
  advance(60'000);
  ASSERT_EQ(lines_.size(), 4U);
  EXPECT_NE(lines_[3].find(R"("text":"again 4","count":5})"), std::string::npos) << lines_[3];
  advance(600'000);
  EXPECT_EQ(lines_.size(), 4U);
  EXPECT_EQ(loop_.next_due(), std::nullopt) << "it would wake for nothing";
  happens(EventKind::kDeadLetters, "press", "much later");
  EXPECT_EQ(lines_.size(), 5U);
}

TEST_F(EventsTest, only_the_kinds_that_are_wanted_are_told) {
  options_.set("events", std::vector<std::string>{"clockStepped"});
  start();
  happens(EventKind::kCircuitOpened, "press", "");
  happens(EventKind::kClockStepped, "", "by 3h");
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find(R"("event":"clockStepped","pipeline":null)"), std::string::npos);
}

TEST_F(EventsTest, states_are_told_only_when_they_are_asked_for) {
  start();
  happens(EventKind::kPipelineState, "press", "running");
  EXPECT_TRUE(lines_.empty());
}

TEST_F(EventsTest, without_credit_it_waits) {
  credit_ = 0;
  start();
  happens(EventKind::kCircuitOpened, "press", "");
  happens(EventKind::kCircuitClosed, "press", "");
  EXPECT_TRUE(lines_.empty());
  give_credit();
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(EventsTest, at_the_end_of_the_agent_it_tells_what_is_left_and_ends) {
  start();
  happens(EventKind::kDeadLetters, "press", "one");
  happens(EventKind::kDeadLetters, "press", "two");
  EXPECT_FALSE(finished_);
  heard_(nullptr);
  EXPECT_EQ(lines_.size(), 2U);
  ASSERT_TRUE(finished_);
  EXPECT_TRUE(*finished_);
  happens(EventKind::kDeadLetters, "press", "too late");
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(EventsTest, what_happens_after_its_end_is_forgotten) {
  start();
  stop();
  happens(EventKind::kDeadLetters, "press", "one");
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace testing
}  // namespace leat
