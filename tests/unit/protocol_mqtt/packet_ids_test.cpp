#include "protocols/mqtt/packet_ids.h"

#include <gtest/gtest.h>

#include <set>

namespace leat::mqtt {
namespace {

TEST(PacketIds, are_never_0_and_never_in_use_twice) {
  PacketIds ids;
  std::set<uint16_t> in_use;
  for (size_t i = 0; i < PacketIds::kMost - 1; ++i) ASSERT_TRUE(in_use.insert(ids.take()).second);
  EXPECT_EQ(in_use.count(0), 0U);
  // Only what was given back can come again, wherever it is.
  for (uint16_t id : {1, 40'000, 65'535}) {
    if (in_use.erase(id) == 0) continue;
    ids.give_back(id);
    uint16_t next = ids.take();
    EXPECT_TRUE(in_use.insert(next).second) << next;
  }
}

TEST(PacketIds, come_again_late) {
  PacketIds ids;
  uint16_t first = ids.take();
  ids.give_back(first);
  for (int i = 0; i < 30; ++i) {
    uint16_t id = ids.take();
    EXPECT_NE(id, first) << "a late answer would be taken for another's";
    ids.give_back(id);
  }
}

TEST(PacketIds, are_all_free_on_a_new_connection) {
  PacketIds ids;
  for (int i = 0; i < 1000; ++i) ids.take();
  ids.give_back_all();
  std::set<uint16_t> in_use;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(in_use.insert(ids.take()).second);
}

TEST(PacketIds, given_back_twice_is_in_use_by_whoever_has_it_now) {
  PacketIds ids;
  uint16_t id = ids.take();
  ids.give_back(id);
  ids.give_back(id);
  std::set<uint16_t> in_use;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(in_use.insert(ids.take()).second);
}

}  // namespace
}  // namespace leat::mqtt
