// Records whose clock is ahead of the machine's, and a clock that is put back: `window`, and
// `sample` with `pick` "last".
#include <string>
#include <vector>

#include "base/clock_sync.h"
#include "stage/codec.h"
#include "support/hand_loop.h"
#include "transform/watermark.h"
#include "transform/window_fixture.h"

namespace leat {
namespace {

constexpr double kDay = 86'400;
constexpr double kYear2106 = 4'294'967'295;

class Ahead : public Window, protected CodecContext {
 protected:
  Ahead() { loop_.advance(std::chrono::hours(2)); }  // since the machine was started
  ~Ahead() override {
    last_.reset();
    transform_.reset();
    EXPECT_TRUE(loop_.close());
  }

  void window(const Items& items = {}) {
    Window::window(items);
    ASSERT_TRUE(transform_->open(*this));
  }
  // How many each result has counted.
  std::vector<int> counted(const std::vector<At>& records) { return counts(give(records)); }
  static std::vector<int> counts(const Lines& results) {
    std::vector<int> out;
    for (const std::string& one : results)
      out.push_back(std::stoi(one.substr(one.find("\"n\":") + 4)));
    return out;
  }
  // The machine's, in seconds; the start of a minute.
  double now() const { return std::floor(loop_.clock().unix_us() / 60e6) * 60; }
  void put_back(double seconds) {
    clock_.step(std::chrono::microseconds(-std::llround(seconds * 1e6)));
  }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  void go_on() override {}

  const std::string name_ = "p";
  testing::FakeClock clock_;
  testing::HandLoop loop_{clock_};
};

using Counts = std::vector<int>;

TEST_F(Ahead, a_record_of_the_year_2106_is_a_dead_letter_and_closes_no_window) {
  window();
  const double t = now();
  EXPECT_EQ(counted({{t}, {kYear2106}, {t + 1}}), Counts{});
  EXPECT_EQ(counted({{t + 2}, {kYear2106 + 60}}), Counts{});
  EXPECT_EQ(counted({{t + 60}}), Counts{3});
  EXPECT_EQ(transform_->dropped(), 0U);
  EXPECT_EQ(dead_.reasons, Lines(2, std::string(Watermark::kAhead)));
  EXPECT_EQ(end().size(), 1U);
}

TEST_F(Ahead, what_is_ahead_by_max_ahead_counts_and_not_what_is_more) {
  window({{"maxAhead", int64_t{600'000}}});
  const double most = static_cast<double>(clock_.unix_us() + 600'000'000) / 1e6;
  give({{most}, {most + 0.000'002}});
  EXPECT_EQ(dead_.reasons.size(), 1U);
  loop_.advance(std::chrono::seconds(1));
  give({{most + 1}});
  EXPECT_EQ(dead_.reasons.size(), 1U);
}

TEST_F(Ahead, records_of_long_ago_are_counted_as_ever) {
  window();
  EXPECT_EQ(counted({{10}, {61}, {5 * kDay}}), (Counts{1, 1}));
  EXPECT_EQ(dead_.reasons, Lines{});
}

TEST_F(Ahead, a_clock_that_was_never_set_bounds_nothing) {
  put_back(now() - 100);  // 1970
  window();
  EXPECT_EQ(counted({{1e9}, {1e9 + 60}}), Counts{1});
  EXPECT_EQ(dead_.reasons, Lines{});
}

TEST_F(Ahead, in_the_first_hour_a_clock_counts_that_something_keeps_right) {
  testing::FakeClock young;
  Watermark watermark(Milliseconds{0}, Milliseconds{60'000}, Milliseconds{86'400'000});
  watermark.use(young);
  watermark.begin(*batch_of({}), now_);
  EXPECT_EQ(watermark.is_ahead(std::llround(kYear2106 * 1e6)), clock_is_synchronised());
  young.advance(std::chrono::hours(1));
  watermark.begin(*batch_of({}), now_);
  EXPECT_TRUE(watermark.is_ahead(std::llround(kYear2106 * 1e6)));
}

TEST_F(Ahead, when_the_clock_was_put_back_time_begins_anew_and_what_was_open_is_given) {
  window();
  const double t = now();
  EXPECT_EQ(counted({{t - 60}, {t}, {t + 1}}), Counts{1});
  put_back(30 * kDay);
  EXPECT_EQ(counted({{t - 30 * kDay}}), Counts{2});
  EXPECT_EQ(counted({{t - 30 * kDay + 61}}), Counts{1});
  EXPECT_EQ(transform_->dropped(), 0U);
  EXPECT_EQ(dead_.reasons, Lines{});
}

TEST_F(Ahead, a_clock_that_was_put_back_a_little_reopens_nothing) {
  window();
  const double t = now();
  give({{t}, {t + 61}});
  put_back(3600);
  EXPECT_EQ(counted({{t - 3600}}), Counts{});
  EXPECT_EQ(transform_->dropped(), 1U);
}

TEST_F(Ahead, what_was_saved_by_a_clock_that_was_ahead_holds_nobody_up_after_a_restart) {
  window();
  const double t = now();
  give({{t}, {t + 61}});
  std::string saved;
  transform_->state()->save(saved, true);
  put_back(30 * kDay);
  window();
  ASSERT_TRUE(transform_->state()->load(saved));
  EXPECT_EQ(counted({{t - 30 * kDay}, {t - 30 * kDay + 60}}), (Counts{1, 1}));
}

TEST_F(Ahead, windows_that_are_corrected_are_given_when_time_has_begun_anew) {
  window({{"late", std::string("emit")}});
  const double t = now();
  EXPECT_EQ(counted({{t}, {t + 61}}), Counts{1});
  put_back(2 * kDay);
  EXPECT_EQ(counted({{t - 2 * kDay}}), Counts{1}) << "what was open";
  EXPECT_EQ(counted({{t - 2 * kDay + 60}}), Counts{1});
}

TEST_F(Ahead, a_session_may_end_farther_ahead_than_a_record_may_lie) {
  window({{"session", session(10 * 86'400)}});
  const double t = now();
  EXPECT_EQ(counted({{t}}), Counts{});
  EXPECT_EQ(counted({{t + 1}, {kYear2106}}), Counts{});
  EXPECT_EQ(dead_.reasons.size(), 1U);
  put_back(20 * kDay);
  EXPECT_EQ(counted({{t - 20 * kDay}}), Counts{2});
  EXPECT_EQ(counts(end()), Counts{1});
}

TEST_F(Ahead, many_windows_that_were_open_are_given_in_turns) {
  window({{"key", Lines{"dev"}}});
  const double t = now();
  std::vector<At> many;
  for (int i = 0; i < 100; ++i) many.push_back({t, {text("dev", std::to_string(i))}});
  EXPECT_EQ(give(many), Lines{});
  put_back(30 * kDay);
  size_t given = 0;
  size_t batches = 0;
  for (; given < 100 && batches < 100; ++batches) {
    BatchRef batch = batch_of({{text("dev", "x")}});
    batch->end.last = false;
    batch->quantum = 1000;
    batch->records[0].time_us = std::llround((t - 30 * kDay) * 1e6);
    const size_t now_given = run_now(batch).size();
    EXPECT_LT(now_given, 30U);
    given += now_given;
  }
  EXPECT_EQ(given, 100U);
  EXPECT_GT(batches, 3U);
}

TEST_F(Ahead, sample_with_the_last_of_each_span_goes_on_behind_a_record_of_the_year_2106) {
  const std::span<const Option> options = find_transform("sample")->options;
  if (std::ranges::find(options, "pick", &Option::name) == options.end())
    GTEST_SKIP() << "left out of this build";
  use("sample", {{"span", int64_t{10'000}}, {"pick", std::string("last")}});
  ASSERT_TRUE(transform_->open(*this));
  const double t = now();
  EXPECT_EQ(give({{t, temp("a", "1")}, {kYear2106, temp("a", "2")}, {t + 1, temp("a", "3")}}),
            Lines{});
  EXPECT_EQ(give({{t + 10, temp("a", "4")}}), Lines{R"({"dev":"a","temp":3})"});
  EXPECT_EQ(dead_.reasons, Lines{std::string(Watermark::kAhead)});
  put_back(30 * kDay);
  EXPECT_EQ(give({{t - 30 * kDay, temp("a", "5")}}), Lines{R"({"dev":"a","temp":4})"});
  EXPECT_EQ(last_->records[0].end_offset, 100U);
}

}  // namespace
}  // namespace leat
