#include "stage/slice_cursor.h"

#include <gtest/gtest.h>

#include <string>

#include "support/sink_harness.h"

namespace leat {
namespace {

std::string text_of(const iovec* pieces, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i)
    out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len).append("|");
  return out;
}

class SliceCursorTest : public ::testing::Test {
 protected:
  // Two batches, of the second only the middle: a, bb, ccc, dddd; with empty slices around.
  SliceCursorTest() {
    delivery_ = harness_.slices({"", "a", "", "bb"});
    Delivery second = harness_.slices({"x", "ccc", "", "dddd", "x"});
    delivery_.parts.push_back({second.parts[0].batch, 1, 3});
    for (Part& part : delivery_.parts)
      for (Slice& slice : part.batch->slices) lie_alone(*part.batch, slice);
  }

  static void lie_alone(Batch& batch, Slice& slice) {
    batch.arena.copy("-");
    slice.data = batch.arena.copy(slice.view()).data();
  }

  std::string pieces(const SliceCursor& cursor, size_t capacity, uint64_t limit = UINT64_MAX) {
    iovec out[8];
    return text_of(out, cursor.pieces(out, capacity, limit));
  }

  testing::SinkHarness harness_;
  Delivery delivery_;
};

TEST_F(SliceCursorTest, gives_the_slices_of_all_parts_in_order) {
  EXPECT_EQ(pieces(SliceCursor(delivery_), 8), "a|bb|ccc|dddd|");
}

TEST_F(SliceCursorTest, keeps_to_the_capacity_and_to_the_limit) {
  SliceCursor cursor(delivery_);
  EXPECT_EQ(pieces(cursor, 2), "a|bb|");
  EXPECT_EQ(pieces(cursor, 8, 5), "a|bb|cc|");
  EXPECT_EQ(pieces(cursor, 8, 0), "");
}

TEST_F(SliceCursorTest, slices_that_lie_side_by_side_are_one_piece) {
  Delivery delivery = harness_.slices({"a", "bb", "", "ccc", "d", "ee"});
  std::vector<Slice>& slices = delivery.parts[0].batch->slices;
  lie_alone(*delivery.parts[0].batch, slices[4]);
  SliceCursor cursor(delivery);
  EXPECT_EQ(pieces(cursor, 8), "abbccc|d|ee|");
  EXPECT_EQ(pieces(cursor, 1), "abbccc|");
  EXPECT_EQ(pieces(cursor, 8, 5), "abbcc|") << "only so many bytes of them";
  cursor.advance(2);
  EXPECT_EQ(pieces(cursor, 2), "bccc|d|");
}

TEST_F(SliceCursorTest, goes_on_in_the_middle_of_a_slice) {
  SliceCursor cursor(delivery_);
  cursor.advance(4);
  EXPECT_TRUE(cursor.inside_record());
  EXPECT_EQ(cursor.rest_of_record(), "cc");
  EXPECT_EQ(pieces(cursor, 8), "cc|dddd|");
  cursor.advance(2);
  EXPECT_FALSE(cursor.inside_record());
  EXPECT_EQ(pieces(cursor, 8), "dddd|");
  cursor.advance(4);
  EXPECT_TRUE(cursor.at_end());
  EXPECT_EQ(cursor.rest_of_record(), "");
  EXPECT_EQ(cursor.records_passed(), 7u) << "empty slices are records, too";
}

TEST_F(SliceCursorTest, counts_the_whole_records_that_fit) {
  SliceCursor cursor(delivery_);
  EXPECT_EQ(cursor.whole_records_within(0), 0u);
  EXPECT_EQ(cursor.whole_records_within(2), 1u);
  EXPECT_EQ(cursor.whole_records_within(3), 3u);
  EXPECT_EQ(cursor.whole_records_within(UINT64_MAX), 10u);
}

TEST_F(SliceCursorTest, skipping_what_was_passed_comes_to_the_same_place) {
  SliceCursor cursor(delivery_);
  cursor.advance(3);
  SliceCursor again(delivery_);
  again.skip_to_record(cursor.records_passed());
  EXPECT_EQ(pieces(again, 8), "ccc|dddd|");
}

TEST_F(SliceCursorTest, empty_delivery_is_at_its_end) {
  EXPECT_TRUE(SliceCursor(Delivery{}).at_end());
  EXPECT_TRUE(SliceCursor(harness_.slices({"", ""})).at_end());
}

}  // namespace
}  // namespace leat
