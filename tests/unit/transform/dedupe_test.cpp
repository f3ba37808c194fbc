#include "state/state.h"
#include "transform/fixture.h"

namespace leat {
namespace {

class Dedupe : public TransformTest {
 protected:
  using Items = std::map<std::string, Options::Item>;
  void dedupe(Items items = {}) {
    items.emplace("key", Lines{"dev", "seq"});
    use("dedupe", items);
  }
  static TestRecord reading(const std::string& device, const std::string& seq,
                            const std::string& value = "1") {
    return {text("dev", device), number("seq", seq), number("v", value)};
  }
  static std::string line(const std::string& device, const std::string& seq,
                          const std::string& value = "1") {
    return R"({"dev":")" + device + R"(","seq":)" + seq + R"(,"v":)" + value + "}";
  }
  // A record at this time, in a batch of its own. True when it passes.
  bool passes(const TestRecord& record, int64_t time_us) {
    BatchRef batch = batch_of({record});
    batch->records[0].time_us = time_us;
    return !run(batch).empty();
  }
};

TEST_F(Dedupe, lets_the_first_of_each_key_pass) {
  dedupe();
  EXPECT_EQ(run(batch_of(
                {reading("a", "1"), reading("b", "1"), reading("a", "1", "2"), reading("a", "2")})),
            (Lines{line("a", "1"), line("b", "1"), line("a", "2")}));
  EXPECT_EQ(run(batch_of({reading("b", "1"), reading("b", "2")})), Lines{line("b", "2")});
}

TEST_F(Dedupe, a_record_without_one_of_the_fields_passes) {
  dedupe();
  const TestRecord without{text("dev", "a"), number("v", "1")};
  const TestRecord null{text("dev", "a"), plain("seq", Type::kNull)};
  EXPECT_EQ(run(batch_of({without, without, null, null})).size(), 4U);
}

TEST_F(Dedupe, values_of_different_types_are_different_and_escapes_are_not) {
  use("dedupe", {{"key", Lines{"k"}}});
  EXPECT_EQ(run(batch_of({{number("k", "1")},
                          {text("k", "1")},
                          {boolean("k", true)},
                          {plain("k", Type::kTime, 1)},
                          {plain("k", Type::kInteger, 1)},
                          {text("k", "aA")},
                          {typed("k", Type::kString, R"(a\u0041)", Form::kText)},
                          {typed("k", Type::kJson, "[1]")},
                          {boolean("k", false)}}))
                .size(),
            7U);
}

TEST_F(Dedupe, fields_are_told_apart_wherever_one_ends) {
  use("dedupe", {{"key", Lines{"a", "b"}}});
  EXPECT_EQ(
      run(batch_of({{text("a", "x"), text("b", "yz")}, {text("a", "xy"), text("b", "z")}})).size(),
      2U);
}

TEST_F(Dedupe, within_a_time_by_event_time_before_and_behind_what_passed) {
  dedupe({{"within", int64_t{10}}});
  EXPECT_TRUE(passes(reading("a", "1"), 100'000));
  EXPECT_FALSE(passes(reading("a", "1"), 109'999));
  EXPECT_FALSE(passes(reading("a", "1"), 90'001));
  EXPECT_TRUE(passes(reading("a", "1"), 110'000));
  EXPECT_FALSE(passes(reading("a", "1"), 119'999));
  EXPECT_TRUE(passes(reading("a", "1"), 100'000));
}

TEST_F(Dedupe, a_record_with_a_wrong_clock_makes_it_forget_nothing_that_there_is_room_for) {
  dedupe({{"within", int64_t{3'600'000}}});
  constexpr int64_t kNow = 1'760'000'000'000'000;
  EXPECT_TRUE(passes(reading("a", "1"), kNow));
  EXPECT_TRUE(passes(reading("b", "1"), kNow));
  EXPECT_TRUE(passes(reading("x", "1"), 10));
  EXPECT_FALSE(passes(reading("a", "1"), kNow + 1));
  EXPECT_FALSE(passes(reading("b", "1"), kNow + 1));
}

TEST_F(Dedupe, at_the_bound_the_oldest_key_goes) {
  dedupe({{"maxKeys", int64_t{2}}});
  EXPECT_TRUE(passes(reading("a", "1"), 1));
  EXPECT_TRUE(passes(reading("a", "2"), 1));
  EXPECT_TRUE(passes(reading("a", "3"), 1));
  EXPECT_FALSE(passes(reading("a", "2"), 1));
  EXPECT_TRUE(passes(reading("a", "1"), 1));
}

TEST_F(Dedupe, or_the_record_is_a_dead_letter_but_what_is_over_makes_room) {
  dedupe(
      {{"maxKeys", int64_t{2}}, {"atBound", std::string("deadLetter")}, {"within", int64_t{10}}});
  EXPECT_TRUE(passes(reading("a", "1"), 0));
  EXPECT_TRUE(passes(reading("a", "2"), 5'000));
  EXPECT_FALSE(passes(reading("a", "3"), 9'000));
  EXPECT_EQ(dead_.records, Lines{line("a", "3")});
  EXPECT_EQ(dead_.reasons, Lines{"no more keys can be remembered (maxKeys, or memory)"});
  EXPECT_TRUE(passes(reading("a", "3"), 10'000));
  EXPECT_EQ(dead_.records.size(), 1U);
}

TEST_F(Dedupe, a_million_keys_stay_within_half_of_the_memory) {
  use("dedupe", {{"key", Lines{"k"}}, {"maxKeys", int64_t{10'000'000}}});
  Budget small(1 << 20);
  for (int i = 0; i < 1000; ++i) {
    BlockPool pool(small);
    BatchRef batch = BatchRef::make(pool, Content::kRecords);
    batch->adopt(std::make_shared<const Shape>(std::vector<std::string_view>{"k"}));
    for (int k = 0; k < 1000; ++k) {
      Record record{.shape = batch->shapes().back().get()};
      record.values = batch->arena.array<Value>(1);
      record.values[0] = Value::of_integer(i * 1000 + k);
      batch->records.push_back(record);
    }
    ASSERT_EQ(run(batch).size(), 1000U);
    ASSERT_LE(transform_->held(), (size_t{1} << 19) + 128 * 1024);
    last_.reset();  // it is of this pool
  }
  EXPECT_TRUE(dead_.records.empty());
}

TEST_F(Dedupe, what_another_remembered_is_known_to_it_when_it_has_the_same_key) {
  dedupe({{"maxKeys", int64_t{3}}});
  run(batch_of({reading("a", "1"), reading("a", "2")}));
  std::string all;
  transform_->state()->save(all, true);
  run(batch_of({reading("a", "3")}));
  std::string more;
  transform_->state()->save(more, false);
  const std::string identity = transform_->state()->identity();
  dedupe({{"maxKeys", int64_t{3}}, {"within", int64_t{1000}}});
  EXPECT_EQ(transform_->state()->identity(), identity);
  ASSERT_TRUE(transform_->state()->load(all));
  ASSERT_TRUE(transform_->state()->load(more));
  EXPECT_EQ(run(batch_of({reading("a", "4"), reading("a", "1"), reading("a", "3")})),
            (Lines{line("a", "4"), line("a", "1")}));
  use("dedupe", {{"key", Lines{"dev"}}});
  EXPECT_NE(transform_->state()->identity(), identity);
}

TEST_F(Dedupe, stops_for_dead_letters_that_wait) {
  dedupe({{"maxKeys", int64_t{1}}, {"atBound", std::string("deadLetter")}});
  dead_.most = 1;
  EXPECT_EQ(
      run_in_turns(batch_of({reading("a", "1"), reading("a", "2"), reading("a", "1")}), 1 << 20),
      (std::vector<size_t>{1, 0}));
}

}  // namespace
}  // namespace leat
