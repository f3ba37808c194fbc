#include "delivery/delivery_range.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace leat {
namespace {

using testing::make_batch;
using testing::text_of;

class RangeTest : public ::testing::Test {
 protected:
  BatchRef given(int first, int count) {
    BatchRef batch = make_batch(pool_, first, count);
    batch->acknowledger = &source_;
    return batch;
  }
  void open(Batch& batch) { batch.owed = ledger_.open(source_, batch.begin, batch.end); }
  // All records of these.
  Piece of(std::initializer_list<BatchRef> batches) {
    Piece out;
    for (const BatchRef& batch : batches) {
      if (batch->owed.empty()) open(*batch);
      out.append(batch, 0, batch->count(), std::move(batch->owed));
    }
    return out;
  }
  // How far that brings it, when all that was settled before counts.
  uint64_t settle(Piece piece) {
    piece.take_owed().settle();
    for (const Reached& one : ledger_.take_reached()) reached_ = one.position.offset;
    return reached_;
  }
  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  testing::ScriptedSource source_;
  Ledger ledger_;
  uint64_t reached_ = 0;
};

TEST_F(RangeTest, what_is_cut_spans_batches) {
  Piece rest = of({given(0, 5), given(5, 5)});
  Piece front = split_front(rest, 2);
  Piece middle = split_front(rest, 5);
  EXPECT_EQ(text_of(front.delivery), "r0 r1");
  EXPECT_EQ(text_of(middle.delivery), "r2 r3 r4 r5 r6");
  EXPECT_EQ(middle.records(), 5U);
  EXPECT_EQ(middle.delivery.bytes, 15U);
  EXPECT_EQ(text_of(rest.delivery), "r7 r8 r9");
  EXPECT_EQ(settle(std::move(middle)), 0U);
  EXPECT_EQ(settle(std::move(front)), 70U);
  EXPECT_EQ(settle(std::move(rest)), 100U);
}

TEST_F(RangeTest, what_is_taken_out_leaves_the_others_in_order) {
  Piece some = of({given(0, 3), given(3, 3)});
  Owed taken = take_out(some, {0, 2, 3});
  EXPECT_EQ(text_of(some.delivery), "r1 r4 r5");
  EXPECT_EQ(settle(std::move(some)), 0U);
  taken.settle();
  EXPECT_EQ(settle({}), 60U);
  Piece none = of({given(6, 2)});
  EXPECT_EQ(text_of(none.delivery), "r6 r7");
  take_out(none, {0, 1}).settle();
  EXPECT_EQ(none.records(), 0U);
  EXPECT_EQ(settle({}), 80U);
  Piece all = of({given(8, 2)});
  EXPECT_TRUE(take_out(all, {}).empty());
  EXPECT_EQ(text_of(all.delivery), "r8 r9");
  EXPECT_EQ(settle(std::move(all)), 100U);
}

TEST_F(RangeTest, the_last_record_of_a_batch_reaches_the_end_of_the_batch) {
  BatchRef batch = given(0, 3);
  batch->end.offset = 99;  // what follows the last record was filtered away
  Piece rest = of({batch});
  EXPECT_EQ(settle(split_front(rest, 2)), 20U);
  EXPECT_EQ(settle(std::move(rest)), 99U);
}

TEST_F(RangeTest, records_that_end_at_one_place_reach_it_only_together) {
  BatchRef batch = given(0, 5);
  for (size_t i = 1; i < 4; ++i) batch->slices[i].end_offset = 40;
  Piece rest = of({batch});
  EXPECT_EQ(settle(split_front(rest, 1)), 10U);
  EXPECT_EQ(settle(split_front(rest, 1)), 10U);
  Piece third = split_front(rest, 1);
  EXPECT_EQ(settle(split_front(rest, 1)), 10U);
  EXPECT_EQ(settle(std::move(third)), 40U) << "in whatever order they are done";
  EXPECT_EQ(settle(std::move(rest)), 50U);
}

TEST_F(RangeTest, records_that_all_end_where_the_batch_ends_reach_it_only_together) {
  BatchRef batch = given(0, 3);
  for (Slice& slice : batch->slices) slice.end_offset = 30;
  Piece rest = of({batch});
  EXPECT_EQ(settle(split_front(rest, 2)), 0U);
  EXPECT_EQ(settle(std::move(rest)), 30U);
}

// Such a one numbers them: as the spool does.
TEST_F(RangeTest, what_is_owed_to_somebody_else_is_counted_in_records) {
  testing::ScriptedSource counter;
  BatchRef batch = given(0, 4);
  batch->owed = ledger_.open(counter, {.offset = 100}, {.offset = 104});
  Piece rest = of({batch});
  EXPECT_EQ(settle(split_front(rest, 3)), 103U);
  EXPECT_EQ(settle(std::move(rest)), 104U);
}

TEST_F(RangeTest, keys_tell_pieces_apart) {
  auto key_of = [](const Piece& piece, const char* scope = "p") {
    return delivery_key(scope, "run", piece.delivery);
  };
  BatchRef batch = given(0, 4);
  std::string key = key_of(of({batch}));
  EXPECT_EQ(key_of(of({batch})), key);
  EXPECT_NE(key_of(of({batch}), "q"), key);
  Piece back = of({batch});
  Piece front = split_front(back, 2);
  EXPECT_NE(key_of(front), key);
  EXPECT_NE(key_of(back), key);
  for (Slice& slice : batch->slices) slice.end_offset = 40;
  back = of({batch});
  front = split_front(back, 2);
  EXPECT_NE(key_of(front), key_of(back));
}

// What counts anew after each start has the same offsets for other records then.
TEST_F(RangeTest, keys_of_what_has_no_lasting_offsets_are_those_of_one_run) {
  Piece whole = of({given(0, 4)});
  auto key_in = [&whole](const char* run) { return delivery_key("p", run, whole.delivery); };
  EXPECT_EQ(key_in("run 1"), key_in("run 2"));
  source_.lasting = false;
  EXPECT_EQ(key_in("run 1"), key_in("run 1"));
  EXPECT_NE(key_in("run 1"), key_in("run 2"));
}

// [0, 2, 3] and [1, 2, 3] are three records each that end at one place.
TEST_F(RangeTest, keys_of_what_has_gaps_are_no_others) {
  Piece gapped = of({given(0, 4)});
  take_out(gapped, {1}).settle();
  Piece whole = of({given(1, 3)});
  EXPECT_TRUE(gapped.gaps);
  EXPECT_NE(delivery_key("p", "run", gapped.delivery, gapped.gaps),
            delivery_key("p", "run", whole.delivery, whole.gaps));
}

}  // namespace
}  // namespace leat
