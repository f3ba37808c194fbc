#include "state/keyed_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace leat {
namespace {

using Entry = KeyedState::Entry;
using Kind = KeyedState::Kind;
using All = std::vector<std::string>;

class KeyedStateTest : public ::testing::Test {
 protected:
  void put(const std::string& key, const std::string& data, int64_t group = 0) {
    put_in(state_, key, data, group);
  }
  static void put_in(KeyedState& state, const std::string& key, const std::string& data,
                     int64_t group = 0) {
    Entry* entry = state.find(group, key);
    if (entry == nullptr) entry = &state.add(group, key, 0);
    state.replace(*entry, data);
  }
  void remove(const std::string& key, int64_t group = 0) {
    state_.remove(*state_.find(group, key));
  }
  // "group:key=data", in order.
  static All all(const KeyedState& state) {
    All out;
    for (const auto& [number, group] : state.groups())
      for (const Entry* entry = group.oldest; entry != nullptr; entry = entry->newer())
        out.push_back(std::to_string(number) + ":" + std::string(entry->key()) + "=" +
                      std::string(entry->data(), entry->data_size()));
    return out;
  }
  // Into a log, as a journal keeps it.
  void checkpoint(bool everything = false) {
    if (everything) log_.clear();
    state_.save(log_.emplace_back(), everything);
  }
  All restored(Kind kind = Kind::kGrouped) {
    KeyedState other(kind);
    for (const std::string& row : log_) EXPECT_TRUE(other.load(row));
    return all(other);
  }

  KeyedState state_{Kind::kGrouped};
  std::vector<std::string> log_;
};

TEST_F(KeyedStateTest, gives_its_memory_back_when_it_is_cleared) {
  for (int i = 0; i < 10'000; ++i) put(std::to_string(i), "x");
  EXPECT_GT(state_.bytes(), 500'000U);
  state_.clear();
  EXPECT_LT(state_.bytes(), 64U);
  put("a", "1");
  EXPECT_EQ(all(state_), All{"0:a=1"});
}

TEST_F(KeyedStateTest, unsaved_tells_what_it_will_take_and_keeps_nothing_to_save) {
  KeyedState unsaved(KeyedState::Kind::kUnsaved);
  EXPECT_EQ(unsaved.bytes_with(1, 8), KeyedState::bytes_alone(1, 8));
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = std::to_string(i);
    const size_t expected = unsaved.bytes_with(key.size(), 8);
    unsaved.add(0, key, 8);
    ASSERT_EQ(unsaved.bytes(), expected) << i;
    if (i % 3 == 0) unsaved.remove(*unsaved.oldest());
  }
  std::string saved;
  unsaved.save(saved, false);
  EXPECT_EQ(saved, "");
}

TEST_F(KeyedStateTest, finds_what_was_added_under_its_key_and_group) {
  put("a", "1");
  put("a", "2", -7);
  put(std::string("\0b", 2), "");
  EXPECT_EQ(all(state_), (All{"-7:a=2", "0:a=1", std::string("0:\0b=", 5)}));
  EXPECT_EQ(state_.find(0, "b"), nullptr);
  EXPECT_EQ(state_.find(1, "a"), nullptr);
  remove("a");
  EXPECT_EQ(state_.find(0, "a"), nullptr);
  EXPECT_EQ(state_.size(), 2U);
}

TEST_F(KeyedStateTest, what_was_saved_comes_back_in_its_order) {
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(i), std::string(i, 'x'), i % 3);
  checkpoint(true);
  EXPECT_EQ(restored(), all(state_));
}

TEST_F(KeyedStateTest, changes_alone_are_saved_and_make_the_same_behind_what_they_changed) {
  for (const char* key : {"a", "b", "c", "d"}) put(key, "1");
  checkpoint(true);
  put("b", "longer");
  remove("c");
  put("e", "5");
  remove("d");
  put("d", "again");
  checkpoint();
  EXPECT_LT(log_[1].size(), log_[0].size() + 20);
  EXPECT_EQ(restored(), all(state_));
  EXPECT_EQ(all(state_), (All{"0:a=1", "0:b=longer", "0:e=5", "0:d=again"}));
  checkpoint();
  EXPECT_EQ(log_[2], "");
  put("f", "never saved");
  remove("f");
  checkpoint();
  EXPECT_EQ(log_[3], "");
}

TEST_F(KeyedStateTest,
       one_that_renews_has_what_changed_last_as_the_newest_also_when_it_comes_back) {
  KeyedState state(Kind::kRenewed);
  for (const char* key : {"a", "b", "c"}) put_in(state, key, "1");
  log_.emplace_back();
  state.save(log_.back(), true);
  put_in(state, "b", "2");
  put_in(state, "a", "2");
  put_in(state, "b", "3");
  EXPECT_EQ(all(state), (All{"0:c=1", "0:a=2", "0:b=3"}));
  log_.emplace_back();
  state.save(log_.back(), false);
  EXPECT_EQ(restored(Kind::kRenewed), all(state));
}

TEST_F(KeyedStateTest, a_key_that_moves_is_found_in_whichever_group_it_is) {
  KeyedState state(Kind::kMoving);
  for (const char* key : {"a", "b", "c"}) put_in(state, key, "1", 10);
  state.move(*state.find(0, "a"), 30);
  state.move(*state.find(0, "c"), 20);
  EXPECT_EQ(all(state), (All{"10:b=1", "20:c=1", "30:a=1"}));
  state.save(log_.emplace_back(), true);
  state.move(*state.find(0, "b"), 40);
  put_in(state, "b", "2");
  state.remove(*state.find(0, "c"));
  state.save(log_.emplace_back(), false);
  EXPECT_EQ(all(state), (All{"30:a=1", "40:b=2"}));
  EXPECT_EQ(restored(Kind::kMoving), all(state));
}

TEST_F(KeyedStateTest, says_how_much_would_be_saved) {
  for (int i = 0; i < 1000; ++i) put("key" + std::to_string(i), "12345678");
  checkpoint(true);
  EXPECT_EQ(state_.changed_bytes(), 0U);
  EXPECT_GE(state_.all_bytes(), log_[0].size());
  EXPECT_LE(state_.all_bytes(), log_[0].size() * 12 / 10);
  for (int i = 0; i < 10; ++i) put("key" + std::to_string(i), "87654321");
  const size_t expected = state_.changed_bytes();
  checkpoint();
  EXPECT_GE(expected * 15 / 10, log_[1].size());
  EXPECT_LE(expected, log_[1].size() * 15 / 10);
}

TEST_F(KeyedStateTest, when_most_is_gone_it_is_not_kept_what_and_all_that_is_left_is_to_be_saved) {
  for (int i = 0; i < 1000; ++i) put("key" + std::to_string(i), "1");
  checkpoint(true);
  for (int i = 0; i < 999; ++i) remove("key" + std::to_string(i));
  EXPECT_LT(state_.bytes(), 40'000U);
  EXPECT_GE(state_.changed_bytes(), state_.all_bytes());
  checkpoint(true);
  EXPECT_EQ(restored(), All{"0:key999=1"});
  EXPECT_EQ(state_.changed_bytes(), 0U);
}

TEST_F(KeyedStateTest, any_order_of_changes_and_checkpoints_comes_back_as_it_was) {
  uint32_t random = 1;
  auto next = [&random](uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = "k" + std::to_string(next(200));
    const int64_t group = next(2);
    if (next(3) == 0) {
      if (state_.find(group, key) != nullptr) remove(key, group);
    } else {
      put(key, std::string(next(40), 'd'), group);
    }
    if (next(50) > 0) continue;
    checkpoint(log_.empty() || log_.size() > 20 || state_.changed_bytes() >= state_.all_bytes());
    if (next(10) > 0) continue;
    All before = restored();
    All now = all(state_);
    std::sort(before.begin(), before.end());
    std::sort(now.begin(), now.end());
    ASSERT_EQ(before, now);
  }
}

TEST_F(KeyedStateTest, what_is_none_of_it_is_refused) {
  put("a", "1");
  checkpoint(true);
  KeyedState other(Kind::kGrouped);
  EXPECT_FALSE(other.load(log_[0].substr(0, log_[0].size() - 1)));
  EXPECT_FALSE(other.load("\x07"));
  EXPECT_FALSE(other.load("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
  EXPECT_TRUE(other.load(""));
}

// Otherwise who makes room would remove far more than is needed.
TEST_F(KeyedStateTest, what_goes_makes_room_however_long_its_key_is) {
  const std::string long_key(4'000, 'k');
  for (int i = 0; i < 100; ++i) put(long_key + std::to_string(i), "x");
  checkpoint(true);
  for (int i = 0; i < 100; ++i) {
    const size_t before = state_.bytes_to_come();
    EXPECT_LE(state_.bytes(), before);
    remove(long_key + std::to_string(i));
    EXPECT_GE(before - state_.bytes_to_come(), long_key.size());
  }
}

// More than is kept of what is gone.
TEST_F(KeyedStateTest, what_is_gone_in_great_number_does_not_come_back_from_a_log_of_changes) {
  const std::string long_key(100, 'k');
  for (int i = 0; i < 1'000; ++i) put(long_key + std::to_string(i), "x", i % 2);
  checkpoint(true);
  for (int i = 0; i < 998; ++i) remove(long_key + std::to_string(i), i % 2);
  put("new", "y");
  checkpoint();
  EXPECT_EQ(restored(), all(state_));
  EXPECT_EQ(all(state_).size(), 3U);
  remove("new");
  checkpoint();
  EXPECT_EQ(restored(), all(state_));
}

}  // namespace
}  // namespace leat
