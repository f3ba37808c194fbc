#include "memory/ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace leat {
namespace {

TEST(Ring, holds_exactly_its_capacity_in_order) {
  Ring<int> ring(3);
  EXPECT_TRUE(ring.empty());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.push(int{i}));
  EXPECT_FALSE(ring.push(9));
  EXPECT_TRUE(ring.full());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ring.pop(), i);
  EXPECT_FALSE(ring.pop());
}

TEST(Ring, leaves_the_item_alone_when_it_is_full) {
  Ring<std::unique_ptr<int>> ring(1);
  EXPECT_TRUE(ring.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(ring.push(std::move(second)));
  ASSERT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move): a refused push promises this
  EXPECT_EQ(*second, 2);
}

TEST(Ring, destroys_an_item_when_it_is_popped) {
  auto item = std::make_shared<int>(7);
  Ring<std::shared_ptr<int>> ring(2);
  ring.push(std::shared_ptr<int>(item));
  ring.pop();
  EXPECT_EQ(item.use_count(), 1);
}

TEST(Ring, carries_everything_from_one_thread_to_another) {
  constexpr int kItems = 200'000;
  Ring<int> ring(16);
  std::thread producer([&ring] {
    for (int i = 0; i < kItems; ++i)
      while (!ring.push(int{i})) std::this_thread::yield();
  });
  for (int expected = 0; expected < kItems;) {
    std::optional<int> item = ring.pop();
    if (!item) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(*item, expected++);
  }
  producer.join();
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace leat
