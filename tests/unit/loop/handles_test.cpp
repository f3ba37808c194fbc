#include "loop/handles.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "loop/pool.h"
#include "support/hand_loop.h"

namespace leat {
namespace {

class LoopTest : public ::testing::Test {
 protected:
  LoopTest() = default;
  // A handle that was not closed would be found here.
  ~LoopTest() override { EXPECT_TRUE(loop_.close()); }
  testing::FakeClock clock_;
  Loop loop_{clock_};
};

TEST_F(LoopTest, an_async_is_sent_from_another_thread) {
  std::unique_ptr<Async> async;
  async = std::make_unique<Async>(loop_, [&async] { async.reset(); });
  std::thread sender([&async] { async->send(); });
  sender.join();
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(async, nullptr);
}

TEST_F(LoopTest, an_idle_runs_each_turn_until_it_is_stopped) {
  int turns = 0;
  std::unique_ptr<Idle> idle;
  idle = std::make_unique<Idle>(loop_, [&idle, &turns] {
    if (++turns == 5) idle.reset();
  });
  idle->start();
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(turns, 5);
}

TEST_F(LoopTest, pool_work_runs_elsewhere_and_its_end_here) {
  std::thread::id worker;
  std::thread::id here;
  run_in_pool(
      loop_, [&worker] { worker = std::this_thread::get_id(); },
      [&here] { here = std::this_thread::get_id(); });
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(here, std::this_thread::get_id());
  EXPECT_NE(worker, here);
}

TEST_F(LoopTest, what_pool_work_returns_is_handed_to_its_continuation) {
  Lifetime owner;
  std::unique_ptr<int> got;
  run_in_pool(
      loop_, owner, [seven = std::make_unique<int>(7)]() mutable { return std::move(seven); },
      [&got](std::unique_ptr<int> result) { got = std::move(result); });
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, 7);
}

TEST_F(LoopTest, what_pool_work_returns_is_dropped_on_the_loop_when_its_owner_has_gone) {
  struct Result {
    std::thread::id* dropped_on;
    explicit Result(std::thread::id* on) : dropped_on(on) {}
    Result(Result&& other) noexcept : dropped_on(std::exchange(other.dropped_on, nullptr)) {}
    ~Result() {
      if (dropped_on != nullptr) *dropped_on = std::this_thread::get_id();
    }
  };
  std::thread::id dropped_on;
  auto owner = std::make_optional<Lifetime>();
  bool called = false;
  run_in_pool(
      loop_, *owner, [&dropped_on] { return Result(&dropped_on); },
      [&called](const Result&) { called = true; });
  owner.reset();
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_FALSE(called);
  EXPECT_EQ(dropped_on, std::this_thread::get_id());
}

TEST_F(LoopTest, a_continuation_may_destroy_its_owner) {
  auto owner = std::make_optional<Lifetime>();
  run_in_pool(
      loop_, *owner, [] { return std::string(100, 'x'); },
      [&owner](const std::string& result) {
        owner.reset();
        EXPECT_EQ(result.size(), 100U);
      });
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_FALSE(owner);
}

TEST_F(LoopTest, a_poll_tells_when_a_pipe_can_be_read_and_may_go_then) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int calls = 0;
  Result<std::unique_ptr<Poll>> poll;
  poll = Poll::make(loop_, ends[0], [&poll, &calls] {
    ++calls;
    poll->reset();
  });
  ASSERT_TRUE(poll);
  (*poll)->start(UV_READABLE);
  uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_EQ(calls, 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(calls, 1);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(LoopTest, a_poll_tells_when_the_other_end_is_gone) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  bool called = false;
  Result<std::unique_ptr<Poll>> poll;
  poll = Poll::make(loop_, ends[1], [&poll, &called] {
    called = true;
    poll->reset();
  });
  close(ends[0]);
  (*poll)->start(UV_WRITABLE);
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_TRUE(called);
  close(ends[1]);
}

TEST_F(LoopTest, a_regular_file_cannot_be_polled) {
  FILE* file = tmpfile();
  ASSERT_NE(file, nullptr);
  Result<std::unique_ptr<Poll>> poll = Poll::make(loop_, fileno(file), [] {});
  ASSERT_FALSE(poll);
  EXPECT_EQ(poll.error().message(), "poll: operation not permitted");
  fclose(file);
}

}  // namespace
}  // namespace leat
