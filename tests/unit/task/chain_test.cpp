#include <algorithm>

#include "task/chain.h"

#include "plan/planner.h"
#include "task/fixture.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;
using testing::add_transform;
using testing::json_config;
using testing::kScriptedSource;

struct NoWaiting final : CodecContext {
  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  void go_on() override {}
  testing::HandLoop loop_;
  std::string name_ = "p";
};

class ChainTest : public ::testing::Test {
 protected:
  void make(size_t quantum = 1 << 20) {
    Result<Plan> planned = plan(config_, "p");
    ASSERT_TRUE(planned) << planned.error().message();
    Result<Chain> made = Chain::make(
        config_, *planned,
        {.add = [this](const Rejection& rejection) { rejections_.push_back(words_of(rejection)); },
         .full = [] { return false; }},
        quantum, codecs_);
    ASSERT_TRUE(made) << made.error().message();
    chain_ = std::make_unique<Chain>(std::move(*made));
  }
  static std::string words_of(const Rejection& rejection) {
    return std::string(rejection.stage) + ": " + std::string(rejection.reason) + " before line " +
           std::to_string(rejection.position.line);
  }

  BatchRef bytes(const Lines& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    BatchRef batch = BatchRef::make(pool_, Content::kBytes);
    char* copy = batch->arena.array<char>(text.size());
    std::copy(text.begin(), text.end(), copy);
    batch->bytes = {copy, text.size()};
    batch->end = {0, text.size(), 0, true};
    return batch;
  }

  // What comes out of a batch, a line for each turn.
  Lines run(BatchRef batch) {
    chain_->take(std::move(batch));
    Lines turns;
    while (chain_->busy()) turns.push_back(turn());
    return turns;
  }
  std::string turn() {
    Result<BatchRef> piece = chain_->next();
    if (!piece) return "error: " + piece.error().message();
    last_ = *piece;
    std::string out;
    for (const Slice& slice : (*piece)->slices)
      out += std::string(slice.view().substr(0, slice.size - 1)) + " ";
    return out;
  }

  NoWaiting codecs_;
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  PipelineConfig config_ = json_config(kScriptedSource<Produces::kBytes, Replay::kFromPosition>);
  std::unique_ptr<Chain> chain_;
  Lines rejections_;
  BatchRef last_;
};

TEST_F(ChainTest, bytes_pass_through_untouched_where_both_ends_speak_one_format) {
  make();
  EXPECT_EQ(run(bytes({R"({"a": 1})", R"({"b":2.50 })"})), (Lines{R"({"a": 1} {"b":2.50 } )"}));
  EXPECT_EQ(chain_->counters().read, 2U);
  EXPECT_TRUE(rejections_.empty());
}

TEST_F(ChainTest, what_cannot_pass_through_is_rejected_as_where_it_is_decoded) {
  make();
  EXPECT_EQ(run(bytes({R"({"a":1})", "{", R"([{"a":2},{"a":3}])"})),
            (Lines{R"({"a":1} {"a":2} {"a":3} )"}));
  EXPECT_EQ(chain_->counters().read, 4U);
  ASSERT_EQ(rejections_.size(), 1U);
  EXPECT_TRUE(rejections_[0].ends_with("before line 2")) << rejections_[0];
}

TEST_F(ChainTest, runs_the_steps_of_the_plan_in_order) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  add_transform(config_, "sql", {{"query", std::string("SELECT a + 10 AS b FROM input")}});
  make();
  EXPECT_EQ(run(bytes({R"({"a":1})", R"({"a":2})", R"({"a":3})"})),
            (Lines{R"({"b":12} {"b":13} )"}));
  EXPECT_EQ(chain_->counters().read, 3U);
  EXPECT_EQ(chain_->counters().filtered, 1U);
}

TEST_F(ChainTest, what_cannot_be_decoded_is_read_and_rejected_with_its_stage_and_place) {
  add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  make();
  EXPECT_EQ(run(bytes({R"({"a":1})", "{", R"({"a":3})"})), (Lines{R"({"a":1} {"a":3} )"}));
  ASSERT_EQ(rejections_.size(), 1U);
  EXPECT_EQ(rejections_[0].find("decode json: "), 0U) << rejections_[0];
  EXPECT_NE(rejections_[0].find("before line 2"), std::string::npos) << rejections_[0];
  EXPECT_EQ(chain_->counters().read, 3U);
  EXPECT_EQ(chain_->counters().filtered, 0U);
}

// What the first step makes of a piece lies in memory of that piece, and what the second leaves of
// it still points there.
TEST_F(ChainTest, what_is_left_of_a_piece_keeps_what_its_records_point_into) {
  add_transform(config_, "map", {{"set", Options::Map{{"b", "printf('%.120c', 'x') || a"}}}});
  add_transform(config_, "map", {{"set", Options::Map{{"c", "b || b"}}}});
  make(600);
  Lines lines;
  std::string expected;
  for (int i = 0; i < 60; ++i) {
    const std::string a = "line" + std::to_string(i);
    const std::string b = std::string(120, 'x') + a;
    lines.push_back(R"({"a":")" + a + R"("})");
    expected += R"({"a":")" + a + R"(","b":")" + b + R"(","c":")" + b + b + R"("} )";
  }
  std::string got;
  const Lines turns = run(bytes(lines));
  for (const std::string& turn : turns) got += turn;
  EXPECT_EQ(got, expected);
  EXPECT_GT(turns.size(), 20U);
}

TEST_F(ChainTest, a_query_that_joins_records_filters_and_one_that_splits_them_makes) {
  add_transform(config_, "sql", {{"query", std::string("SELECT sum(a) AS a FROM input")}});
  make();
  EXPECT_EQ(run(bytes({R"({"a":1})", R"({"a":2})", R"({"a":3})"})), (Lines{R"({"a":6} )"}));
  EXPECT_EQ(chain_->counters().filtered, 2U);
  EXPECT_EQ(chain_->counters().made, 0U);
  config_.transforms.clear();
  add_transform(
      config_, "sql",
      {{"query", std::string("SELECT a FROM input UNION ALL SELECT a + 1 AS a FROM input")}});
  make();
  EXPECT_EQ(run(bytes({R"({"a":1})", R"({"a":5})"})),
            (Lines{R"({"a":1} {"a":5} {"a":2} {"a":6} )"}));
  EXPECT_EQ(chain_->counters().filtered, 0U);
  EXPECT_EQ(chain_->counters().made, 2U);
}

TEST_F(ChainTest, what_a_transform_drops_when_told_to_is_not_filtered) {
  add_transform(config_, "filter",
                {{"where", std::string("abs(a) > 1")}, {"onError", std::string("drop")}});
  make();
  EXPECT_EQ(run(bytes({R"({"a":1})", R"({"a":-9223372036854775808})", R"({"a":2})"})),
            (Lines{R"({"a":2} )"}));
  EXPECT_EQ(chain_->counters().filtered, 1U);
  EXPECT_EQ(chain_->counters().dropped, 1U);
}

TEST_F(ChainTest, much_is_made_in_turns_and_each_says_how_far_it_came) {
  add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  make(100);
  Lines lines;
  for (int i = 1; i <= 20; ++i) lines.push_back("{\"a\":" + std::to_string(100 + i) + "}");
  BatchRef batch = bytes(lines);
  const uint64_t end = batch->end.offset;
  chain_->take(std::move(batch));
  std::string all;
  uint64_t reached = 0;
  int turns = 0;
  for (; chain_->busy(); ++turns) {
    uint64_t given = chain_->counters().read - chain_->waiting();
    all += turn();
    EXPECT_GT(chain_->counters().read - chain_->waiting(), given);
    EXPECT_GT(last_->end.offset, reached);
    EXPECT_EQ(last_->end.last, !chain_->busy());
    reached = last_->end.offset;
  }
  EXPECT_GT(turns, 1);
  EXPECT_EQ(reached, end);
  std::string expected;
  for (const std::string& line : lines) expected += line + " ";
  EXPECT_EQ(all, expected);
  EXPECT_EQ(chain_->counters().read, 20U);
  EXPECT_EQ(chain_->waiting(), 0U);
}

TEST_F(ChainTest, a_rest_that_is_left_is_still_counted_as_waiting) {
  add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  make(100);
  chain_->take(bytes(Lines(20, R"({"a":100})")));
  turn();
  ASSERT_TRUE(chain_->busy());
  const uint64_t given = last_->count();
  chain_->leave_rest();
  EXPECT_FALSE(chain_->busy());
  EXPECT_EQ(chain_->waiting(), chain_->counters().read - given);
}

TEST_F(ChainTest, a_turn_that_fails_leaves_its_records_waiting) {
  add_transform(config_, "filter",
                {{"where", std::string("abs(a) > 0")}, {"onError", std::string("fail")}});
  make();
  Lines out = run(bytes({R"({"a":1})", R"({"a":-9223372036854775808})"}));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].find("error: "), 0U) << out[0];
  EXPECT_EQ(chain_->counters().read, 2U);
  EXPECT_EQ(chain_->waiting(), 2U);
}

TEST_F(ChainTest, records_that_a_source_gives_are_counted_before_the_first_transform) {
  config_ = json_config(kScriptedSource<Produces::kRecords, Replay::kFromPosition>);
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  make();
  auto shape = std::make_shared<const Shape>(std::vector<std::string_view>{"a"});
  BatchRef batch = BatchRef::make(pool_, Content::kRecords);
  batch->adopt(shape);
  for (uint32_t i = 1; i <= 3; ++i) {
    auto* values = batch->arena.array<Value>(1);
    values[0] = Value::of_integer(i);
    batch->records.push_back({shape.get(), values, 0, i, i});
  }
  batch->end = {0, 3, 3};
  EXPECT_EQ(run(std::move(batch)), (Lines{R"({"a":2} {"a":3} )"}));
  EXPECT_EQ(chain_->counters().read, 3U);
  EXPECT_EQ(chain_->counters().filtered, 1U);
}

TEST_F(ChainTest, the_start_of_a_file_that_is_resumed_teaches_the_decoder_and_yields_nothing) {
  config_.source.format = find_read_format("csv");
  config_.source.format_options = Options(config_.source.format->options, "csv");
  make();
  ASSERT_TRUE(chain_->needs_preamble());
  BatchRef start = bytes({"a,b", "1,2"});
  start->preamble = true;
  start->end = start->begin;
  run(std::move(start));
  EXPECT_EQ(chain_->counters().read, 0U);
  BatchRef middle = bytes({"3,4"});
  middle->begin.offset += 100;
  middle->end.offset += 100;
  EXPECT_EQ(run(std::move(middle)), (Lines{R"({"a":3,"b":4} )"}));
  EXPECT_EQ(chain_->counters().read, 1U);
}

TEST_F(ChainTest, what_was_spooled_as_records_is_encoded_for_the_sink_of_now) {
  config_.source.format = find_read_format("csv");
  config_.source.format_options = Options(config_.source.format->options, "csv");
  make();
  auto shape = std::make_shared<const Shape>(std::vector<std::string_view>{"a"});
  BatchRef batch = BatchRef::make(pool_, Content::kRecords);
  batch->adopt(shape);
  auto* values = batch->arena.array<Value>(1);
  values[0] = Value::of_integer(7);
  batch->records.push_back({shape.get(), values, 0, 1, 1});
  ASSERT_TRUE(chain_->adapt(batch, ""));
  ASSERT_EQ(batch->slices.size(), 1U);
  EXPECT_EQ(batch->slices[0].view(), "{\"a\":7}\n");
}

TEST_F(ChainTest, what_was_spooled_in_a_form_that_cannot_be_read_becomes_dead_letters) {
  make();
  BatchRef batch = BatchRef::make(pool_, Content::kSlices);
  batch->slices.push_back({"x\n", 2, 1, 1});
  ASSERT_TRUE(chain_->adapt(batch, "clay tablets"));
  EXPECT_EQ(batch->count(), 0U);
  EXPECT_EQ(rejections_, (Lines{"spool: spooled as clay tablets, which the sink does not take any "
                                "more before line 1"}));
}

TEST_F(ChainTest, each_stage_says_what_went_in_and_what_became_of_it) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  make();
  run(bytes({R"({"a":1})", "{", R"({"a":2})", R"({"a":3})"}));
  std::vector<StageStatus> stages;
  chain_->add_stages(stages);
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[0].name, "decode json");
  EXPECT_EQ(stages[0].counters.in, 4U);
  EXPECT_EQ(stages[0].counters.out, 3U);
  EXPECT_EQ(stages[0].counters.failed, 1U);
  EXPECT_EQ(stages[0].counters.timed_records, 4U) << "the first turn is timed";
  EXPECT_EQ(stages[1].name, "filter");
  EXPECT_EQ(stages[1].counters.in, 3U);
  EXPECT_EQ(stages[1].counters.filtered, 1U);
  EXPECT_EQ(stages[1].counters.out, 2U);
  EXPECT_EQ(stages[2].counters.in, 2U);
  EXPECT_EQ(stages[2].counters.out, 2U);
}

TEST_F(ChainTest, what_a_stage_does_in_turns_it_counts_once) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  make(/*quantum=*/1);
  Lines turns = run(bytes({R"({"a":1})", R"({"a":2})", R"({"a":3})"}));
  EXPECT_GT(turns.size(), 1U);
  std::vector<StageStatus> stages;
  chain_->add_stages(stages);
  for (const StageStatus& stage : stages)
    EXPECT_EQ(stage.counters.in,
              stage.counters.out + stage.counters.filtered + stage.counters.failed)
        << stage.name;
  EXPECT_EQ(stages[0].counters.in, 3U);
  EXPECT_EQ(stages.back().counters.out, 2U);
}

}  // namespace
}  // namespace leat
