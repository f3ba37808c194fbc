#include <map>

#include "state/state.h"
#include "transform/fixture.h"

namespace leat {
namespace {

class Sample : public TransformTest {
 protected:
  // A record of this device, at this many seconds, in a batch of its own. True when it passes.
  bool passes(const std::string& device, int64_t seconds) {
    BatchRef batch = batch_of({{text("dev", device)}});
    batch->records[0].time_us = seconds * 1'000'000;
    return !run(batch).empty();
  }
  static constexpr int64_t kMinute = 60'000;
};

TEST_F(Sample, every_nth_passes_of_each_key) {
  use("sample", {{"nth", int64_t{3}}, {"key", Lines{"dev"}}});
  std::string a;
  std::string b;
  for (int i = 0; i < 7; ++i) {
    a += passes("a", 0) ? '+' : '.';
    if (i % 2 == 0) b += passes("b", 0) ? '+' : '.';
  }
  EXPECT_EQ(a, "+..+..+");
  EXPECT_EQ(b, "+..+");
}

TEST_F(Sample, the_first_few_pass_of_each_span_of_event_time) {
  use("sample", {{"span", kMinute}, {"most", int64_t{2}}, {"key", Lines{"dev"}}});
  EXPECT_TRUE(passes("a", 50));
  EXPECT_TRUE(passes("a", 51));
  EXPECT_FALSE(passes("a", 59));
  EXPECT_TRUE(passes("b", 59));
  EXPECT_TRUE(passes("a", 60));
  EXPECT_TRUE(passes("a", 61));
  EXPECT_FALSE(passes("a", 62));
  EXPECT_TRUE(passes("a", 600));
}

TEST_F(Sample, there_are_never_more_in_a_span_where_records_are_a_span_late) {
  use("sample", {{"span", kMinute}, {"most", int64_t{3}}});
  uint32_t random = 1;
  std::map<int64_t, int> passed;
  for (int64_t i = 0; i < 10'000; ++i) {
    random = random * 1664525 + 1013904223;
    const int64_t at = 1'000'000 + i - (random >> 8) % 60;
    if (passes("a", at)) ++passed[at / 60];
  }
  EXPECT_GT(passed.size(), 160U);
  for (const auto& [minute, count] : passed) EXPECT_LE(count, 3) << minute;
}

TEST_F(Sample, a_clock_that_is_set_back_begins_anew) {
  use("sample", {{"span", kMinute}});
  EXPECT_TRUE(passes("a", 4'000'000'000));
  EXPECT_TRUE(passes("a", 100));
  EXPECT_FALSE(passes("a", 101));
  EXPECT_TRUE(passes("a", -30));
}

TEST_F(Sample, goes_on_where_it_was_saved) {
  use("sample", {{"nth", int64_t{3}}});
  EXPECT_TRUE(passes("a", 0));
  std::string saved;
  transform_->state()->save(saved, true);
  EXPECT_FALSE(passes("a", 0));
  std::string more;
  transform_->state()->save(more, false);
  const std::string identity = transform_->state()->identity();
  use("sample", {{"nth", int64_t{3}}});
  EXPECT_EQ(transform_->state()->identity(), identity);
  ASSERT_TRUE(transform_->state()->load(saved));
  ASSERT_TRUE(transform_->state()->load(more));
  EXPECT_FALSE(passes("a", 0));
  EXPECT_TRUE(passes("a", 0));
  use("sample", {{"span", kMinute}});
  EXPECT_NE(transform_->state()->identity(), identity);
}

TEST_F(Sample, at_the_bound_the_oldest_key_goes_or_the_record_is_a_dead_letter) {
  use("sample", {{"nth", int64_t{2}}, {"key", Lines{"dev"}}, {"maxKeys", int64_t{1}}});
  EXPECT_TRUE(passes("a", 0));
  EXPECT_TRUE(passes("b", 0));
  EXPECT_EQ(transform_->state()->evicted(), 1U);
  EXPECT_TRUE(passes("a", 0));
  use("sample", {{"nth", int64_t{2}},
                 {"key", Lines{"dev"}},
                 {"maxKeys", int64_t{1}},
                 {"atBound", std::string("deadLetter")}});
  EXPECT_TRUE(passes("a", 0));
  EXPECT_FALSE(passes("b", 0));
  EXPECT_EQ(dead_.records, Lines{R"({"dev":"b"})"});
}

TEST_F(Sample, refuses_options_that_say_nothing_or_two_things) {
  EXPECT_EQ(refusal("sample", {}), "t.span: one of nth and span is needed, and not both");
  EXPECT_EQ(refusal("sample", {{"nth", int64_t{2}}, {"span", kMinute}}),
            "t.span: one of nth and span is needed, and not both");
}

TEST_F(Sample, there_are_never_more_in_a_span_where_times_go_to_and_fro) {
  use("sample", {{"span", int64_t{10'000}}});
  std::string passed;
  for (const int64_t at : {1000, 1020, 1005, 1021, 1006, 1022, 990, 991, 1030})
    passed += passes("a", at) ? '+' : '.';
  EXPECT_EQ(passed, "++....+.+");
}

TEST_F(Sample, a_clock_that_is_ahead_is_counted_by_itself) {
  use("sample", {{"span", int64_t{10'000}}});
  constexpr int64_t kAhead = 315'360'000;
  std::string passed;
  for (const int64_t at : {int64_t{1000}, kAhead, int64_t{1001}, kAhead + 1, int64_t{1010}, kAhead,
                           kAhead + 10, int64_t{1011}, int64_t{1020}})
    passed += passes("a", at) ? '+' : '.';
  EXPECT_EQ(passed, "++..+.+.+");
}

}  // namespace
}  // namespace leat
