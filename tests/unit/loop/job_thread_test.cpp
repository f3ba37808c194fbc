#include "loop/job_thread.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "support/hand_loop.h"

namespace leat {
namespace {

class JobThreadTest : public ::testing::Test {
 protected:
  JobThreadTest() = default;
  ~JobThreadTest() override { EXPECT_TRUE(loop_.close()); }
  testing::FakeClock clock_;
  Loop loop_{clock_};
};

TEST_F(JobThreadTest, runs_jobs_in_order_and_their_ends_on_the_loop) {
  JobThread thread(loop_, "test", 8);
  std::vector<int> done;
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(thread.submit([] {}, [&done, i] { done.push_back(i); }));
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(thread.under_way(), 0U);
}

TEST_F(JobThreadTest, refuses_more_than_its_capacity_until_the_loop_has_seen_one_end) {
  JobThread thread(loop_, "test", 1);
  bool second = false;
  EXPECT_TRUE(thread.submit(
      [] {},
      [&thread, &second] { EXPECT_TRUE(thread.submit([] {}, [&second] { second = true; })); }));
  EXPECT_FALSE(thread.submit([] {}, [] {}));
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_TRUE(second);
}

TEST_F(JobThreadTest, hands_what_a_job_returns_to_its_continuation) {
  JobThread thread(loop_, "test", 2);
  std::unique_ptr<int> got;
  EXPECT_TRUE(thread.submit_for([] { return std::make_unique<int>(7); },
                                [&got](std::unique_ptr<int> result) { got = std::move(result); }));
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, 7);
}

TEST_F(JobThreadTest, keeps_the_loop_alive_only_while_a_job_is_under_way) {
  JobThread thread(loop_, "test", 1);
  EXPECT_EQ(uv_run(loop_.uv(), UV_RUN_DEFAULT), 0);  // returns at once
}

TEST_F(JobThreadTest, may_be_destroyed_by_the_end_of_a_job) {
  auto thread = std::make_unique<JobThread>(loop_, "test", 4);
  int ends = 0;
  for (int i = 0; i < 4; ++i)
    thread->submit([] {},
                   [&thread, &ends] {
                     ++ends;
                     thread.reset();
                   });
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(ends, 1);
}

}  // namespace
}  // namespace leat
