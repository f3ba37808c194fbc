#include "record/ledger.h"

#include <gtest/gtest.h>

#include "record/batch.h"

namespace leat {
namespace {

class Counter final : public Acknowledger {
 public:
  SavedPosition saved_position(const Position& position) override {
    return {std::to_string(position.partition), std::to_string(position.offset)};
  }
  std::string describe(const Position& /*position*/) override { return ""; }
};

class LedgerTest : public ::testing::Test {
 protected:
  // The next stretch of a partition.
  Owed given(uint64_t size, uint32_t partition = 1) {
    uint64_t begin = std::exchange(next_[partition], next_[partition] + size);
    return ledger_.open(source_, {partition, begin}, {partition, begin + size});
  }
  Position at(uint64_t offset, uint32_t partition = 1) { return {partition, offset}; }
  // What has been reached since this was asked last: "1:40 2:10".
  std::string reached() { return text_of(ledger_.take_reached()); }
  std::string reached_with(const Owed& owed) { return text_of(ledger_.reached_with({&owed})); }
  static std::string text_of(const std::vector<Reached>& reached) {
    std::string out;
    for (const Reached& one : reached) {
      out += out.empty() ? "" : " ";
      out += std::to_string(one.position.partition) + ":" + std::to_string(one.position.offset);
    }
    return out;
  }

  Counter source_;
  std::map<uint32_t, uint64_t> next_;
  Ledger ledger_;
};

TEST_F(LedgerTest, nothing_is_reached_before_everything_below_it_is_settled) {
  Owed first = given(10);
  Owed second = given(10);
  Owed third = given(10);
  third.settle();
  second.settle();
  EXPECT_EQ(reached(), "");
  first.settle();
  EXPECT_EQ(reached(), "1:30");
  EXPECT_EQ(reached(), "");
  EXPECT_FALSE(ledger_.is_open(source_, 1));
}

TEST_F(LedgerTest, partitions_do_not_wait_for_each_other) {
  Owed slow = given(10, 1);
  given(10, 2).settle();
  EXPECT_EQ(reached(), "2:10");
  Counter other;  // whose partitions have the same numbers
  ledger_.open(other, at(0), at(7)).settle();
  EXPECT_EQ(reached(), "1:7");
  slow.settle();
  EXPECT_EQ(reached(), "1:10");
}

TEST_F(LedgerTest, what_is_dropped_without_being_settled_is_never_released) {
  { Owed lost = given(10); }
  Owed behind = given(10);
  behind.settle();
  EXPECT_EQ(reached(), "");
  EXPECT_TRUE(ledger_.is_open(source_, 1));
}

TEST_F(LedgerTest, what_is_owed_may_outlive_the_ledger) {
  Ledger* ledger = new Ledger;
  Owed owed = ledger->open(source_, at(0), at(10));
  delete ledger;
}

// --- merging ------------------------------------------------------------------------------------

TEST_F(LedgerTest, a_batch_made_of_others_owes_all_of_theirs) {
  Owed merged = given(10, 1);
  merged.add(given(5, 2));
  merged.add(given(10, 1));
  given(10, 1).settle();
  EXPECT_EQ(reached(), "");
  merged.settle();
  EXPECT_EQ(reached(), "1:30 2:5");
}

TEST_F(LedgerTest, stretches_that_follow_each_other_become_one) {
  Owed merged = given(10);
  for (int i = 0; i < 100; ++i) merged.add(given(10));
  EXPECT_EQ(merged.begin().offset, 0U);
  Owed front = merged.split(source_, at(505));
  front.settle();
  EXPECT_EQ(reached(), "1:505");
  merged.settle();
  EXPECT_EQ(reached(), "1:1010");
}

// --- splitting ----------------------------------------------------------------------------------

TEST_F(LedgerTest, what_is_cut_can_be_settled_in_any_order) {
  Owed back = given(30);
  Owed front = back.split(source_, at(10));
  Owed middle = back.split(source_, at(20));
  given(10).settle();
  back.settle();
  front.settle();
  EXPECT_EQ(reached(), "1:10");
  middle.settle();
  EXPECT_EQ(reached(), "1:40");
}

TEST_F(LedgerTest, cutting_at_an_end_leaves_the_other_part_nothing) {
  Owed whole = given(10);
  Owed before = whole.split(source_, at(0));
  EXPECT_TRUE(before.empty());
  before = whole.split(source_, at(10));
  EXPECT_TRUE(whole.empty());
  before.settle();
  EXPECT_EQ(reached(), "1:10");
}

TEST_F(LedgerTest, both_parts_owe_what_cannot_be_told_apart) {
  Owed back = given(20, 1);
  back.add(given(10, 2));
  Owed front = back.split(source_, at(10, 1));
  back.settle();
  EXPECT_EQ(reached(), "");
  front.settle();
  EXPECT_EQ(reached(), "1:20 2:10");
}

TEST_F(LedgerTest, the_rest_of_a_batch_takes_its_debt_along) {
  Budget budget(1 << 20);
  BlockPool pool(budget);
  BatchRef batch = BatchRef::make(pool, Content::kSlices);
  batch->slices.assign(3, {});
  for (uint32_t i = 0; i < 3; ++i) batch->slices[i].end_offset = batch->slices[i].end_line = i + 1;
  batch->acknowledger = &source_;
  batch->end = at(3);
  batch->begin = at(0);
  batch->owed = given(3);
  batch->leave_slices(1);
  BatchRef rest = std::exchange(batch->rest, {});
  rest->owed.settle();
  EXPECT_EQ(reached(), "");
  batch->owed.settle();
  EXPECT_EQ(reached(), "1:3");
}

TEST_F(LedgerTest, the_line_where_it_ends_may_be_said_later) {
  Owed owed = given(10);
  owed.set_line({.partition = 1, .offset = 10, .line = 7});
  owed.settle();
  EXPECT_EQ(ledger_.take_reached().front().position.line, 7U);
}

TEST_F(LedgerTest, the_end_of_the_last_may_be_taken_back_by_who_decodes_it) {
  const auto end_of = [&](bool last) {
    Owed owed = ledger_.open(source_, at(10), {.partition = 1, .offset = 20, .last = last});
    owed.set_line({.partition = 1, .offset = 15, .line = 3, .last = last});
    owed.settle();
    return ledger_.take_reached().front().position;
  };
  EXPECT_EQ(end_of(true).offset, 15U);
  EXPECT_EQ(end_of(true).line, 3U);
  EXPECT_TRUE(end_of(true).last);
  EXPECT_EQ(end_of(false).offset, 20U) << "more of it comes, from there on";
}

// --- several holders: channels ------------------------------------------------------------------

TEST_F(LedgerTest, what_two_consumers_have_is_released_by_the_last_of_them) {
  Owed one = given(20);
  Owed other = one.share();
  Owed back = one.split(source_, at(10));  // one of them takes it in two deliveries
  one.settle();
  back.settle();
  EXPECT_EQ(reached(), "");
  other.settle();
  EXPECT_EQ(reached(), "1:20");
}

TEST_F(LedgerTest, a_consumer_that_drops_its_share_holds_it_back_for_the_other_too) {
  Owed one = given(10);
  { Owed other = one.share(); }
  one.settle();
  EXPECT_EQ(reached(), "");
}

// --- holding back: windows ----------------------------------------------------------------------

TEST_F(LedgerTest, records_that_are_held_back_hold_back_what_lies_behind_them) {
  Owed window;  // has records of the first and the third batch
  Owed first = given(10);
  window.add(first.share());
  first.settle();  // the others of that batch went on at once
  given(10).settle();
  Owed third = given(10);
  window.add(third.share());
  third.settle();
  given(10).settle();
  EXPECT_EQ(reached(), "");
  window.settle();
  EXPECT_EQ(reached(), "1:40");
}

TEST_F(LedgerTest, two_windows_owe_the_batches_that_both_have_records_of) {
  Owed first_window = given(10);
  Owed second_window = first_window.share();
  second_window.add(given(10));
  second_window.settle();
  EXPECT_EQ(reached(), "");
  first_window.settle();
  EXPECT_EQ(reached(), "1:20");
}

// --- parallel chains ----------------------------------------------------------------------------

TEST_F(LedgerTest, batches_that_come_back_in_any_order_are_reached_in_theirs) {
  std::vector<Owed> under_way;
  for (int i = 0; i < 4; ++i) under_way.push_back(given(10));
  std::string all;
  for (size_t i : {2, 0, 3, 1}) {
    under_way[i].settle();
    all += reached() + ";";
  }
  EXPECT_EQ(all, ";1:10;;1:40;");
}

// --- saved state --------------------------------------------------------------------------------

TEST_F(LedgerTest, what_may_be_saved_with_state_is_how_far_that_settles_everything) {
  Owed before = given(10);
  Owed state = given(10);
  state.add(given(10));
  EXPECT_EQ(reached_with(state), "") << "what lies before is not settled";
  before.settle();
  EXPECT_EQ(reached_with(state), "1:30");
  EXPECT_EQ(reached(), "1:10");
  state.settle();
  EXPECT_EQ(reached(), "1:30");
}

TEST_F(LedgerTest, what_is_settled_behind_it_counts_with_state_and_what_others_have_does_not) {
  Owed state = given(10);
  given(10).settle();
  Owed last = given(10);
  state.add(last.share());
  EXPECT_EQ(reached_with(state), "1:20");
  last.settle();
  EXPECT_EQ(reached_with(state), "1:30");
}

}  // namespace
}  // namespace leat
