#include "task/trial.h"

#include "task/fixture.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;
using testing::add_transform;
using testing::json_config;
using testing::kScriptedSource;

Lines texts_of(const std::vector<TrialRecord>& records) {
  Lines out;
  for (const TrialRecord& record : records) out.push_back(record.text);
  return out;
}

class TrialTest : public ::testing::Test {
 protected:
  Trial run(std::string_view sample, std::string_view address = {}) {
    Result<Trial> trial = try_pipeline(config_, {.bytes = sample, .address = address}, clock_);
    if (!trial) throw std::runtime_error(trial.error().message());
    return *std::move(trial);
  }

  SystemClock clock_;
  PipelineConfig config_ = json_config(kScriptedSource<Produces::kBytes, Replay::kFromPosition>);
};

TEST_F(TrialTest, shows_what_each_stage_makes) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  add_transform(config_, "sql", {{"query", std::string("SELECT a + 10 AS b FROM input")}});
  Trial trial = run("{\"a\":1}\n{\"a\":2}\n");
  ASSERT_EQ(trial.stages.size(), 4U);
  EXPECT_EQ(trial.stages[0].name, "decode json");
  EXPECT_EQ(texts_of(trial.stages[0].records), (Lines{R"({"a":1})", R"({"a":2})"}));
  EXPECT_EQ(trial.stages[1].filtered, 1U);
  EXPECT_EQ(texts_of(trial.stages[1].records), (Lines{R"({"a":2})"}));
  EXPECT_EQ(trial.stages[2].filtered, 0U);
  EXPECT_EQ(texts_of(trial.sent), (Lines{R"({"b":12})"}));
}

TEST_F(TrialTest, a_query_sees_the_whole_sample) {
  add_transform(config_, "sql", {{"query", std::string("SELECT count(*) AS n FROM input")}});
  std::string sample;
  for (int i = 0; i < 20'000; ++i) sample += "{\"a\":" + std::to_string(i) + "}\n";
  EXPECT_EQ(texts_of(run(sample).sent), (Lines{R"({"n":20000})"}));
}

TEST_F(TrialTest, what_would_be_a_dead_letter_stands_with_its_stage_line_and_reason) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  Trial trial = run("{\"a\":2}\n{\n{\"a\":3}\n");
  ASSERT_EQ(trial.stages[0].dead_letters.size(), 1U);
  const TrialDeadLetter& dead = trial.stages[0].dead_letters[0];
  EXPECT_EQ(dead.line, 2U);
  EXPECT_NE(dead.reason.find("JSON"), std::string::npos) << dead.reason;
  EXPECT_EQ(dead.what, "{");
  EXPECT_EQ(trial.sent.size(), 2U);
}

TEST_F(TrialTest, a_last_line_without_an_end_is_read_too) {
  EXPECT_EQ(texts_of(run("{\"a\":1}\n{\"a\":2}").sent), (Lines{R"({"a":1})", R"({"a":2})"}));
  EXPECT_TRUE(run("").sent.empty());
}

TEST_F(TrialTest, of_a_source_of_messages_each_line_is_one) {
  config_ = json_config(kScriptedSource<Produces::kSlices, Replay::kHoldsAck>);
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  Trial trial = run("{\"a\":2}\nx\n{\"a\":3}");
  EXPECT_EQ(texts_of(trial.sent), (Lines{R"({"a":2})", R"({"a":3})"}));
  ASSERT_EQ(trial.stages[0].dead_letters.size(), 1U);
  EXPECT_EQ(trial.stages[0].dead_letters[0].line, 2U);
}

TEST_F(TrialTest, a_source_that_makes_its_records_itself_cannot_be_tried) {
  config_ = json_config(kScriptedSource<Produces::kRecords, Replay::kFromPosition>);
  Result<Trial> trial = try_pipeline(config_, {.bytes = "{}\n"}, clock_);
  ASSERT_FALSE(trial);
  EXPECT_EQ(trial.error().kind(), ErrorKind::kUsage);
}

}  // namespace
}  // namespace leat
