#include "task/parallel_load.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

class ParallelLoadTest : public ::testing::Test {
 protected:
  // So many batches wait all the time, for so long.
  void waits(size_t batches, Milliseconds span, bool held_up = false) {
    for (const Milliseconds end = now_ + span; now_ < end; now_ += Milliseconds{10})
      sees(batches, held_up);
    sees(batches, held_up);
  }
  void sees(size_t batches, bool held_up) { load_.sees(batches, held_up, now_.count() * 1000); }
  void period(int64_t busy_ms) {
    load_.worked(busy_ms * 1000);
    load_.period_ends();
  }

  Milliseconds now_{1'000};
  ParallelLoad load_{{.max = 5, .threshold = 2, .growth = 2}};
};

TEST_F(ParallelLoadTest, grows_by_its_factor_up_to_the_most_while_more_than_the_threshold_waits) {
  waits(3, Milliseconds{90});
  EXPECT_EQ(load_.loops(), 0) << "not yet";
  waits(3, Milliseconds{20});
  EXPECT_EQ(load_.loops(), 1);
  waits(3, Milliseconds{100});
  EXPECT_EQ(load_.loops(), 2);
  waits(3, Milliseconds{200});
  EXPECT_EQ(load_.loops(), 5);
  EXPECT_EQ(load_.breaches(), 4U);
  waits(3, Milliseconds{100});
  EXPECT_EQ(load_.loops(), 5);
  EXPECT_EQ(load_.breaches(), 5U) << "it says that more would be needed";
}

TEST_F(ParallelLoadTest, does_not_grow_when_the_queue_was_short_in_between) {
  for (int i = 0; i < 10; ++i) {
    waits(3, Milliseconds{50});
    waits(2, Milliseconds{50});
  }
  EXPECT_EQ(load_.loops(), 0);
  EXPECT_EQ(load_.breaches(), 0U);
}

TEST_F(ParallelLoadTest, grows_when_the_source_was_late_once) {
  waits(3, Milliseconds{40});
  waits(1, Milliseconds{0});
  waits(3, Milliseconds{60});
  EXPECT_EQ(load_.loops(), 1);
}

// While a sink takes in pieces what a long turn has made, one looks often.
TEST_F(ParallelLoadTest, goes_by_time_however_often_one_looks) {
  for (int turn = 0; turn < 2; ++turn) {
    sees(3, false);
    now_ += Milliseconds{80};
    for (int i = 0; i < 5; ++i) {
      now_ += Milliseconds{1};
      sees(3, true);
    }
  }
  EXPECT_EQ(load_.loops(), 1);
}

TEST_F(ParallelLoadTest, does_not_grow_when_a_batch_comes_now_and_then) {
  for (int i = 0; i < 20; ++i) {
    sees(3, false);
    now_ += Milliseconds{5};
    sees(0, false);
    now_ += Milliseconds{500};
  }
  EXPECT_EQ(load_.loops(), 0);
}

TEST_F(ParallelLoadTest, does_not_grow_when_the_sink_or_the_memory_holds_the_transforms_up) {
  waits(3, Milliseconds{1'000}, true);
  EXPECT_EQ(load_.loops(), 0);
}

TEST_F(ParallelLoadTest, shrinks_when_those_that_are_left_would_have_done) {
  waits(3, Milliseconds{400});
  ASSERT_EQ(load_.loops(), 5);
  period(9'000);
  EXPECT_EQ(load_.loops(), 5) << "the threshold was breached in this one";
  period(9'000);
  EXPECT_EQ(load_.loops(), 5) << "two would be busy for 90 % of the time";
  period(6'000);
  EXPECT_EQ(load_.loops(), 2);
  period(3'000);
  EXPECT_EQ(load_.loops(), 1);
  period(3'000);
  EXPECT_EQ(load_.loops(), 1) << "the pipeline's own loop has other work";
  period(0);
  EXPECT_EQ(load_.loops(), 0);
  EXPECT_EQ(load_.most(), 5);
}

}  // namespace
}  // namespace leat
