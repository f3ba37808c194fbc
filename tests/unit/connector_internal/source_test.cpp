#include <functional>
#include <string>
#include <vector>

#include "support/source_harness.h"

namespace leat {

extern const SourceType kInternalSource;

namespace testing {
namespace {

class InternalTest : public SourceHarness {
 protected:
  InternalTest() : SourceHarness(kInternalSource) {}
  void given(BatchRef batch) override {
    for (const Record& record : batch->records) {
      EXPECT_EQ(record.time_us, loop_.clock().unix_us());
      append_json(lines_.emplace_back(), record);
    }
  }
  void ask_agent(std::function<void(const AgentNumbers&)> done) override {
    asked_.push_back(std::move(done));
  }
  void answer(const AgentNumbers& numbers) {
    ASSERT_FALSE(asked_.empty());
    std::function<void(const AgentNumbers&)> done = std::move(asked_.back());
    asked_.pop_back();
    done(numbers);
  }

  std::vector<std::function<void(const AgentNumbers&)>> asked_;
  std::vector<std::string> lines_;
};

TEST_F(InternalTest, gives_a_record_for_each_pipeline_each_time) {
  start();
  EXPECT_TRUE(asked_.empty());
  loop_.advance(Milliseconds{10'000});
  PipelineNumbers press{.pipeline = "press", .state = "running", .reason = ""};
  press.numbers[0] = 7;
  PipelineNumbers mill{.pipeline = "mill", .state = "retrying", .reason = "connection refused"};
  mill.numbers.back() = 1'500;
  answer({press, mill});
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_NE(lines_[0].find(R"("pipeline":"press","state":"running","reason":null,"read":7,)"),
            std::string::npos)
      << lines_[0];
  EXPECT_NE(lines_[1].find(R"("reason":"connection refused")"), std::string::npos);
  EXPECT_NE(lines_[1].find(R"("oldestUndeliveredMs":1500})"), std::string::npos);
  loop_.advance(Milliseconds{10'000});
  answer({press});
  EXPECT_EQ(lines_.size(), 3U);
}

TEST_F(InternalTest, asks_again_only_when_it_was_answered) {
  start();
  loop_.advance(Milliseconds{60'000});
  EXPECT_EQ(asked_.size(), 1U);
  answer({});
  EXPECT_TRUE(lines_.empty());
  loop_.advance(Milliseconds{10'000});
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(InternalTest, an_answer_after_its_end_is_forgotten) {
  start();
  loop_.advance(Milliseconds{10'000});
  ASSERT_EQ(asked_.size(), 1U);
  stop();
  answer({PipelineNumbers{.pipeline = "p", .state = "running", .reason = ""}});
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace testing
}  // namespace leat
