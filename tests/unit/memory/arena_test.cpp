#include "memory/arena.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

class ArenaTest : public ::testing::Test {
 protected:
  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
};

TEST_F(ArenaTest, charges_what_it_holds_while_it_lives) {
  {
    Arena arena(pool_);
    EXPECT_EQ(budget_.used(), 0U);
    arena.allocate(1);
    EXPECT_EQ(budget_.used(), arena.footprint());
    arena.allocate(100'000);
    EXPECT_EQ(budget_.used(), arena.footprint());
  }
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(ArenaTest, holds_little_for_little_and_whole_blocks_for_much) {
  Arena arena(pool_);
  arena.allocate(1000);
  EXPECT_LT(arena.footprint(), BlockPool::kBlockSize / 8);
  for (int i = 0; i < 1000; ++i) arena.allocate(1000);
  EXPECT_LT(arena.footprint(), 1000U * 1000U + 2 * BlockPool::kBlockSize);
}

TEST_F(ArenaTest, gives_aligned_memory_that_does_not_overlap) {
  Arena arena(pool_);
  char* last_end = nullptr;
  for (size_t i = 1; i < 2000; ++i) {
    auto* p = static_cast<char*>(arena.allocate(i % 97 + 1, 8));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 8, 0U);
    std::memset(p, static_cast<int>(i), i % 97 + 1);
    if (last_end != nullptr && p > last_end - 100 && p < last_end) FAIL() << "overlap at " << i;
    last_end = p + i % 97 + 1;
  }
}

TEST_F(ArenaTest, keeps_the_current_block_when_something_large_is_asked_for) {
  Arena arena(pool_);
  auto* before = static_cast<char*>(arena.allocate(16, 1));
  arena.allocate(200'000);
  auto* after = static_cast<char*>(arena.allocate(16, 1));
  EXPECT_EQ(after, before + 16);
  EXPECT_GE(budget_.used(), 200'000U);
}

TEST_F(ArenaTest, tail_writers_can_go_on_in_a_new_block) {
  Arena arena(pool_);
  arena.refill(10);
  EXPECT_GE(arena.room(), 10U);
  arena.take(arena.room() - 3);
  EXPECT_EQ(arena.room(), 3U);
  arena.refill(100'000);
  EXPECT_GE(arena.room(), 100'000U);
}

TEST(Budget, tells_the_waiting_source_once_when_there_is_room_again) {
  Budget budget(100);
  int calls = 0;
  budget.on_room([&calls] { ++calls; });
  budget.charge(100);
  EXPECT_FALSE(budget.has_room(1));
  budget.release(10);
  EXPECT_EQ(calls, 0);  // nobody had been refused
  budget.note_refusal();
  budget.release(10);
  budget.release(10);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(budget.peak(), 100U);
}

}  // namespace
}  // namespace leat
