#include <algorithm>

#include "task/tap.h"

#include "plan/planner.h"
#include "task/fixture.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;
using testing::add_transform;

struct Kept final : TapLines {
  explicit Kept(Lines& into) : lines(into) {}
  ~Kept() override { lines.push_back("over"); }
  bool give(std::string line) override {
    if (lines.size() >= room) return false;
    lines.push_back(std::move(line));
    return true;
  }
  Lines& lines;
  size_t room = SIZE_MAX;
};

// A chain of JSON lines that is looked at.
class TapTest : public ::testing::Test, private CodecContext {
 protected:
  void look(TapRequest request = {}) {
    if (chain_ == nullptr) make();
    Result<std::unique_ptr<Tap>> tap =
        Tap::make(request, chain_->stages(), chain_->last_of_records(), loop_.clock(),
                  std::make_shared<Kept>(shown_));
    ASSERT_TRUE(tap) << tap.error().message();
    taps_.add(1, std::move(*tap));
    chain_->watch(&taps_);
  }
  std::string refusal(TapRequest request) {
    if (chain_ == nullptr) make();
    auto tap = Tap::make(request, chain_->stages(), chain_->last_of_records(), loop_.clock(),
                         std::make_shared<Kept>(unused_));
    return tap ? "none" : tap.error().message();
  }
  void make() {
    Result<Plan> planned = plan(config_, "p");
    ASSERT_TRUE(planned) << planned.error().message();
    Result<Chain> made =
        Chain::make(config_, *planned, {.add = [](const Rejection&) {}}, quantum_, *this);
    ASSERT_TRUE(made) << made.error().message();
    chain_ = std::make_unique<Chain>(std::move(*made));
  }
  // What the sink gets.
  Lines run(const Lines& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    BatchRef batch = BatchRef::make(pool_, Content::kBytes);
    char* copy = batch->arena.array<char>(text.size());
    std::copy(text.begin(), text.end(), copy);
    batch->bytes = {copy, text.size()};
    batch->end = {0, text.size(), 0, true};
    chain_->take(std::move(batch));
    Lines out;
    while (chain_->busy()) {
      Result<BatchRef> piece = chain_->next();
      EXPECT_TRUE(piece);
      for (const Slice& slice : (*piece)->slices)
        out.emplace_back(slice.view().substr(0, slice.size - 1));
    }
    return out;
  }
  Lines shown() { return std::exchange(shown_, {}); }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  void go_on() override {}

  testing::HandLoop loop_;
  std::string name_ = "p";
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  PipelineConfig config_ =
      testing::json_config(testing::kScriptedSource<Produces::kBytes, Replay::kFromPosition>);
  size_t quantum_ = 1 << 20;
  Lines unused_;
  Lines shown_;
  Taps taps_;
  std::unique_ptr<Chain> chain_;
};

std::string record(const std::string& stage, const std::string& json) {
  return R"({"stage":")" + stage + R"(","time":"1970-01-01T00:00:00Z","record":)" + json + "}";
}

TEST_F(TapTest, shows_what_the_last_stage_of_records_gives) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  add_transform(config_, "sql", {{"query", std::string("SELECT a * 10 AS b FROM input")}});
  look();
  EXPECT_EQ(run({R"({"a":1})", R"({"a":2})"}), Lines{R"({"b":20})"});
  EXPECT_EQ(shown(), Lines{record("sql", R"({"b":20})")});
  taps_.remove(1);
  EXPECT_EQ(shown(), Lines{"over"});
  EXPECT_EQ(run({R"({"a":3})"}), Lines{R"({"b":30})"});
  EXPECT_TRUE(shown().empty());
}

TEST_F(TapTest, a_stage_goes_by_its_name_or_its_number) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  look({.at = "decode json"});
  run({R"({"a":1})"});
  EXPECT_EQ(shown(), Lines{record("decode json", R"({"a":1})")});
  taps_.remove(1);
  shown();
  look({.at = "3"});
  run({R"({"a":2})"});
  EXPECT_EQ(shown(), Lines{R"({"stage":"encode ndjson","text":"{\"a\":2}"})"});
  EXPECT_EQ(refusal({.at = "4"}),
            "there is no stage \"4\"; there are 1 \"decode json\", 2 \"filter\", 3 \"encode "
            "ndjson\"");
}

TEST_F(TapTest, shows_only_the_records_that_are_asked_for_and_changes_none) {
  add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  look({.where = "a = 2 OR a = 4"});
  EXPECT_EQ(run({R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":4})"}).size(), 4U);
  EXPECT_EQ(shown(), (Lines{record("filter", R"({"a":2})"), record("filter", R"({"a":4})")}));
  EXPECT_NE(refusal({.where = "a ="}), "none");
}

TEST_F(TapTest, shows_what_a_stage_does_not_give_on) {
  add_transform(config_, "filter", {{"where", std::string("a > 1")}});
  look({.at = "filter", .dropped = true});
  run({R"({"a":1})", R"({"a":2})", R"([{"a":0},{"a":3}])"});
  EXPECT_EQ(shown(), (Lines{record("filter", R"({"a":1})"), record("filter", R"({"a":0})")}));
  run({R"({"a":5})"});
  EXPECT_TRUE(shown().empty());
}

TEST_F(TapTest, what_waits_for_its_turn_is_not_taken_for_dropped) {
  quantum_ = 1;
  add_transform(config_, "map", {{"set", Options::Map{{"b", "a + 1"}}}});
  look({.at = "map", .dropped = true});
  EXPECT_EQ(run({R"({"a":1})", R"({"a":2})", R"({"a":3})"}).size(), 3U);
  EXPECT_EQ(shown(), Lines{});
}

TEST_F(TapTest, gives_so_many_a_second_and_counts_what_it_skips) {
  add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  look({.rate = 2});
  run({R"({"a":1})", R"({"a":2})", R"({"a":3})"});
  EXPECT_EQ(shown(), (Lines{record("filter", R"({"a":1})"), record("filter", R"({"a":2})")}));
  run({R"({"a":4})"});
  EXPECT_EQ(shown(), Lines{});
  loop_.advance(Milliseconds{1'000});
  run({R"({"a":5})"});
  EXPECT_EQ(shown(), (Lines{R"({"skipped":2})", record("filter", R"({"a":5})")}));
}

TEST_F(TapTest, bytes_that_pass_through_have_no_fields_to_be_asked_for) {
  look({.where = "a = 1"});
  EXPECT_EQ(run({R"({"a":1})"}).size(), 1U);
  EXPECT_EQ(shown(), Lines{});
}

}  // namespace
}  // namespace leat
