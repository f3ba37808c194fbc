#include "delivery/delivery_range.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace leat {
namespace {

using testing::make_batch;
using testing::text_of;

class RangeTest : public ::testing::Test {
 protected:
  Delivery of(std::initializer_list<Part> parts) {
    Delivery out;
    for (const Part& part : parts) {
      out.parts.push_back(part);
      out.records += part.count;
      out.bytes += bytes_of(*part.batch, part.first, part.count);
    }
    return out;
  }
  uint64_t reached(const Delivery& delivery) {
    std::vector<Position> positions;
    merge_reached(positions, delivery);
    return positions.back().offset;
  }
  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
};

TEST_F(RangeTest, a_subrange_spans_batches) {
  Delivery whole = of({{make_batch(pool_, 0, 5), 2, 3}, {make_batch(pool_, 5, 5), 0, 4}});
  Delivery middle = subrange(whole, 2, 3);
  EXPECT_EQ(text_of(middle), "r4 r5 r6");
  EXPECT_EQ(middle.records, 3U);
  EXPECT_EQ(middle.bytes, 9U);
}

TEST_F(RangeTest, without_leaves_the_others_in_order) {
  Delivery whole = of({{make_batch(pool_, 0, 3), 0, 3}, {make_batch(pool_, 3, 3), 0, 3}});
  EXPECT_EQ(text_of(without(whole, {0, 2, 3})), "r1 r4 r5");
  EXPECT_EQ(text_of(without(whole, {})), "r0 r1 r2 r3 r4 r5");
  EXPECT_EQ(without(whole, {0, 1, 2, 3, 4, 5}).records, 0U);
}

TEST_F(RangeTest, the_last_record_of_a_batch_reaches_the_end_of_the_batch) {
  BatchRef batch = make_batch(pool_, 0, 3);
  batch->end.offset = 99;  // what follows the last record was filtered away
  EXPECT_EQ(reached(of({{batch, 0, 3}})), 99U);
  EXPECT_EQ(reached(of({{batch, 0, 2}})), 20U);
}

TEST_F(RangeTest, records_that_end_at_one_place_reach_it_only_together) {
  BatchRef batch = make_batch(pool_, 0, 4);
  for (size_t i = 1; i < 4; ++i) batch->slices[i].end_offset = 40;
  EXPECT_EQ(reached(of({{batch, 0, 1}})), 10U);
  EXPECT_EQ(reached(of({{batch, 0, 2}})), 10U);
  EXPECT_EQ(reached(of({{batch, 0, 3}})), 10U);
  EXPECT_EQ(reached(of({{batch, 0, 4}})), 40U);
  batch->slices[0].end_offset = 40;
  EXPECT_EQ(reached(of({{batch, 0, 2}})), 0U);  // the batch's begin
}

TEST_F(RangeTest, keys_tell_pieces_apart) {
  testing::ScriptedSource source;
  BatchRef batch = make_batch(pool_, 0, 4);
  Delivery whole = of({{batch, 0, 4}});
  std::string key = delivery_key("p", "run", whole, source);
  EXPECT_EQ(delivery_key("p", "run", of({{batch, 0, 4}}), source), key);
  EXPECT_NE(delivery_key("q", "run", whole, source), key);
  EXPECT_NE(delivery_key("p", "run", subrange(whole, 0, 2), source), key);
  EXPECT_NE(delivery_key("p", "run", subrange(whole, 2, 2), source), key);
  for (Slice& slice : batch->slices) slice.end_offset = 40;
  EXPECT_NE(delivery_key("p", "run", subrange(whole, 0, 2), source),
            delivery_key("p", "run", subrange(whole, 2, 2), source));
}

// What counts anew after each start has the same offsets for other records then.
TEST_F(RangeTest, keys_of_what_has_no_lasting_offsets_are_those_of_one_run) {
  testing::ScriptedSource source;
  Delivery whole = of({{make_batch(pool_, 0, 4), 0, 4}});
  EXPECT_EQ(delivery_key("p", "run 1", whole, source), delivery_key("p", "run 2", whole, source));
  source.lasting = false;
  EXPECT_EQ(delivery_key("p", "run 1", whole, source), delivery_key("p", "run 1", whole, source));
  EXPECT_NE(delivery_key("p", "run 1", whole, source), delivery_key("p", "run 2", whole, source));
}

}  // namespace
}  // namespace leat
