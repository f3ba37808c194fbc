#include "loop/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/hand_loop.h"

namespace leat {
namespace {

class TimerTest : public ::testing::Test {
 protected:
  ~TimerTest() override { EXPECT_TRUE(loop_.close()); }
  // Notes when it fired, in milliseconds from the begin of the test.
  std::function<void()> notes(const std::string& name) {
    return [this, name] {
      fired_ += name + "@" + std::to_string((loop_.now() - begun_).count()) + " ";
    };
  }

  testing::HandLoop loop_;
  const Milliseconds begun_ = loop_.now();
  std::string fired_;
};

TEST_F(TimerTest, fires_when_its_time_has_come_and_not_before) {
  Timer timer(loop_);
  timer.start(Milliseconds{10}, notes("a"));
  loop_.advance(Milliseconds{9});
  EXPECT_EQ(fired_, "");
  EXPECT_TRUE(timer.active());
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(fired_, "a@10 ");
  EXPECT_FALSE(timer.active());
  loop_.advance(Milliseconds{1000});
  EXPECT_EQ(fired_, "a@10 ");
}

TEST_F(TimerTest, fire_in_the_order_in_which_they_are_due_and_were_started) {
  Timer late(loop_), early(loop_), same(loop_);
  late.start(Milliseconds{30}, notes("late"));
  early.start(Milliseconds{20}, notes("early"));
  same.start(Milliseconds{20}, notes("same"));
  loop_.advance(Milliseconds{100});
  EXPECT_EQ(fired_, "early@20 same@20 late@30 ");
}

TEST_F(TimerTest, a_repeating_one_has_its_period_from_call_to_call) {
  Timer timer(loop_);
  timer.start_repeating(Milliseconds{40}, notes("tick"));
  loop_.advance(Milliseconds{100});
  EXPECT_EQ(fired_, "tick@40 tick@80 ");
  timer.stop();
  loop_.advance(Milliseconds{100});
  EXPECT_EQ(fired_, "tick@40 tick@80 ");
}

TEST_F(TimerTest, starting_a_running_one_starts_it_anew) {
  Timer timer(loop_);
  timer.start(Milliseconds{10}, notes("first"));
  loop_.advance(Milliseconds{5});
  timer.start(Milliseconds{10}, notes("second"));
  loop_.advance(Milliseconds{20});
  EXPECT_EQ(fired_, "second@15 ");
}

TEST_F(TimerTest, one_that_starts_itself_anew_without_delay_lets_the_others_have_their_turn) {
  Timer greedy(loop_), other(loop_);
  std::function<void()> again = [this, &greedy, &again] {
    fired_ += "greedy ";
    greedy.start(Milliseconds{0}, again);
  };
  greedy.start(Milliseconds{0}, again);
  other.start(Milliseconds{0}, notes("other"));
  EXPECT_TRUE(loop_.advance_to_next());
  EXPECT_EQ(fired_, "greedy other@0 ");
  greedy.stop();
}

TEST_F(TimerTest, may_destroy_itself_or_another_that_is_due_in_its_callback) {
  auto first = std::make_unique<Timer>(loop_);
  auto second = std::make_unique<Timer>(loop_);
  first->start(Milliseconds{1}, [&] {
    fired_ += "first ";
    first.reset();
    second.reset();
  });
  second->start(Milliseconds{1}, notes("second"));
  loop_.advance(Milliseconds{5});
  EXPECT_EQ(fired_, "first ");
}

TEST_F(TimerTest, a_loop_without_a_running_timer_has_nothing_to_wait_for) {
  Timer timer(loop_);
  timer.start(Milliseconds{10}, notes("a"));
  EXPECT_EQ(loop_.next_due(), begun_ + Milliseconds{10});
  timer.stop();
  EXPECT_EQ(loop_.next_due(), std::nullopt);
  EXPECT_FALSE(loop_.advance_to_next());
}

TEST_F(TimerTest, the_clock_and_the_timers_of_a_loop_go_together) {
  const int64_t wall = loop_.clock().unix_us();
  const int64_t monotonic = loop_.clock().monotonic_us();
  Timer timer(loop_);
  int64_t seen = 0;
  timer.start(Milliseconds{250}, [&] { seen = loop_.clock().monotonic_us(); });
  loop_.advance(Milliseconds{1000});
  EXPECT_EQ(seen - monotonic, 250'000);
  EXPECT_EQ(loop_.clock().monotonic_us() - monotonic, 1'000'000);
  EXPECT_EQ(loop_.clock().unix_us() - wall, 1'000'000);
}

TEST(Loop, what_is_posted_from_another_thread_runs_on_its_own_in_order) {
  testing::HandLoop loop;
  std::vector<int> ran;
  std::thread::id where;
  std::thread other([&] {
    for (int i = 0; i < 3; ++i)
      loop.post([&, i] {
        ran.push_back(i);
        where = std::this_thread::get_id();
      });
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(Loop, with_the_real_time_wakes_for_the_first_of_its_timers) {
  SystemClock clock;
  Loop loop(clock);
  std::string order;
  {
    Timer late(loop), early(loop), never(loop);
    never.start(Milliseconds{0}, [&] { order += "never "; });
    late.start(Milliseconds{3}, [&] { order += "late "; });
    early.start(Milliseconds{1}, [&] { order += "early "; });
    never.stop();
    uv_run(loop.uv(), UV_RUN_DEFAULT);  // returns: nothing is left to wait for
    EXPECT_EQ(order, "early late ");
  }
  EXPECT_TRUE(loop.close());
}

TEST(Loop, timers_that_start_each_other_without_delay_keep_nothing_from_its_turn) {
  SystemClock clock;
  Loop loop(clock);
  bool others_ran = false;
  int rounds = 0;
  {
    Timer timer(loop);
    std::function<void()> again = [&] {
      if (!others_ran && ++rounds < 1000) timer.start_next_turn(again);
    };
    timer.start_next_turn(again);
    loop.post([&others_ran] { others_ran = true; });
    uv_run(loop.uv(), UV_RUN_DEFAULT);
    EXPECT_TRUE(others_ran);
    EXPECT_LT(rounds, 10);
  }
  EXPECT_TRUE(loop.close());
}

TEST(Loop, what_a_timer_closes_is_closed_in_the_next_turn) {
  SystemClock clock;
  Loop loop(clock);
  bool closed = false;
  bool was_closed = false;
  {
    uv_idle_t handle;
    uv_idle_init(loop.uv(), &handle);
    handle.data = &closed;
    Timer timer(loop);
    timer.start(Milliseconds{1}, [&] {
      uv_close(reinterpret_cast<uv_handle_t*>(&handle),
               [](uv_handle_t* one) { *static_cast<bool*>(one->data) = true; });
      timer.start_next_turn([&] { was_closed = closed; });
    });
    uv_run(loop.uv(), UV_RUN_DEFAULT);
    EXPECT_TRUE(was_closed);
  }
  EXPECT_TRUE(loop.close());
}

TEST(Loop, a_timer_that_is_left_over_is_found_when_it_closes) {
  testing::HandLoop loop;
  Timer timer(loop);
  EXPECT_FALSE(loop.close());
}

}  // namespace
}  // namespace leat
