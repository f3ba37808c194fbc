#include "task/source_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "memory/budget.h"
#include "support/hand_loop.h"

namespace leat {
namespace {

class SourceQueueTest : public ::testing::Test {
 protected:
  BatchRef granted(uint64_t begin = 0, uint64_t end = 10, size_t reader = 0) {
    BatchRef batch = queue_.grant(reader, pool_, Content::kBytes);
    batch->begin = {1, begin};
    batch->end = {1, end};
    return batch;
  }

  testing::HandLoop loop_;
  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  RateLimit limit_{LimitsConfig{.records_per_second = 10}};
  int gone_on_ = 0;
  SourceQueue queue_{loop_, limit_, [this] { ++gone_on_; }};
};

TEST_F(SourceQueueTest, each_of_several_readers_has_a_credit_of_its_own) {
  BatchRef first = granted(0, 10, 0);
  BatchRef other = granted(0, 10, 3);
  BatchRef instead = granted(0, 10, 3);
  EXPECT_TRUE(queue_.add(std::move(first)));
  EXPECT_TRUE(queue_.add(std::move(instead)));
  EXPECT_EQ(queue_.without_credit(), 0U);
  queue_.add(std::move(other));
  EXPECT_EQ(queue_.without_credit(), 1U) << "another has taken its place";
}

TEST_F(SourceQueueTest, a_batch_that_was_granted_last_may_be_added_once) {
  BatchRef first = granted();
  BatchRef second = granted();
  EXPECT_FALSE(queue_.add(first)) << "the second is in its place";
  EXPECT_TRUE(queue_.add(second));
  EXPECT_TRUE(queue_.add(second)) << "only the first such batch is told";
  EXPECT_TRUE(queue_.add(granted()));
  EXPECT_EQ(queue_.without_credit(), 2U);
  EXPECT_FALSE(queue_.empty()) << "they are kept";
}

TEST_F(SourceQueueTest, has_room_for_a_few) {
  int added = 0;
  for (; queue_.has_room() && added < 100; ++added) queue_.add(granted());
  EXPECT_GT(added, 0);
  EXPECT_LT(added, 100);
  queue_.take(0);
  EXPECT_TRUE(queue_.has_room());
}

TEST_F(SourceQueueTest, counts_how_long_the_source_was_told_to_wait) {
  loop_.advance(Milliseconds{100});
  queue_.refuse();
  loop_.advance(Milliseconds{20});
  queue_.refuse();
  loop_.advance(Milliseconds{5});
  EXPECT_EQ(queue_.waited(), Milliseconds{25}) << "so far";
  queue_.resumed();
  loop_.advance(Milliseconds{100});
  queue_.refuse();
  loop_.advance(Milliseconds{1});
  queue_.resumed();
  EXPECT_EQ(queue_.waited(), Milliseconds{26});
}

TEST_F(SourceQueueTest, reads_nothing_for_as_long_as_the_limits_say_after_a_batch) {
  queue_.add(granted());
  queue_.take(100);
  queue_.taken_ends({1, 10}, 105, [](const Rejected&, const Position&) {});
  EXPECT_FALSE(queue_.has_room());
  loop_.advance(Milliseconds{499});
  EXPECT_FALSE(queue_.has_room());
  EXPECT_EQ(gone_on_, 0);
  loop_.advance(Milliseconds{1});
  EXPECT_TRUE(queue_.has_room());
  EXPECT_EQ(gone_on_, 1);
}

TEST_F(SourceQueueTest, says_what_the_source_could_not_read_when_the_chain_is_through_with_it) {
  BatchRef batch = granted(0, 30);
  batch->rejected.push_back({batch->arena.copy("xx"), batch->arena.copy("too long"), 0});
  queue_.add(std::move(batch));
  EXPECT_EQ(queue_.bytes_next(), 30U);
  queue_.take(0);
  EXPECT_EQ(queue_.bytes_taken(), 30U);
  std::vector<std::string> said;
  queue_.taken_ends({1, 30}, 2, [&said](const Rejected& what, const Position& behind) {
    said.push_back(std::string(what.why) + " before " + std::to_string(behind.offset));
  });
  EXPECT_EQ(said, std::vector<std::string>{"too long before 30"});
  EXPECT_EQ(queue_.rejected(), 1U);
  EXPECT_EQ(queue_.bytes_taken(), 0U);
}

TEST_F(SourceQueueTest, says_where_each_ended_that_the_source_could_not_read_where_that_is_known) {
  BatchRef batch = granted(100, 130);
  batch->rejected.push_back({batch->arena.copy("xx"), batch->arena.copy("empty"), 1, 10});
  batch->rejected.push_back({batch->arena.copy("yy"), batch->arena.copy("empty"), 2, 20});
  queue_.add(std::move(batch));
  queue_.take(0);
  std::vector<uint64_t> ends;
  queue_.taken_ends({1, 130}, 2, [&ends](const Rejected& /*what*/, const Position& behind) {
    ends.push_back(behind.offset);
  });
  EXPECT_EQ(ends, (std::vector<uint64_t>{110, 120}));
}

TEST_F(SourceQueueTest, says_how_long_nothing_came_and_when_the_oldest_did) {
  EXPECT_FALSE(queue_.since_read());
  EXPECT_FALSE(queue_.oldest_arrival_us());
  BatchRef batch = granted();
  batch->arrival_us = 42;
  queue_.add(std::move(batch));
  loop_.advance(Milliseconds{300});
  EXPECT_EQ(queue_.since_read(), Milliseconds{300});
  EXPECT_EQ(queue_.oldest_arrival_us(), 42);
}

}  // namespace
}  // namespace leat
