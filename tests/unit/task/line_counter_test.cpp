#include "task/line_counter.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

class LineCounterTest : public ::testing::Test {
 protected:
  // A batch of the partition, which its source thinks to begin in `line`; where it does begin.
  uint64_t begin(uint32_t partition, uint64_t line) {
    batch_ = BatchRef::make(pool_, Content::kBytes);
    batch_->begin = batch_->end = {partition, 0, line};
    counter_.begin(*batch_);
    EXPECT_EQ(batch_->end.line, batch_->begin.line);
    return batch_->begin.line;
  }
  // Its decoder has found so many lines in it.
  Position end(uint64_t lines, bool last = false) {
    Position end = batch_->end;
    end.line += lines;
    end.last = last;
    return end;
  }

  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  BatchRef batch_;
  LineCounter counter_;
};

TEST_F(LineCounterTest, the_first_batch_begins_where_its_source_says) {
  EXPECT_EQ(begin(1, 17), 17U);
}

TEST_F(LineCounterTest, each_later_one_begins_where_the_one_before_it_ended) {
  begin(1, 17);
  counter_.end(end(3));
  EXPECT_EQ(begin(1, 17), 20U);
  counter_.end(end(0));
  EXPECT_EQ(begin(1, 17), 20U);
}

TEST_F(LineCounterTest, partitions_are_counted_apart) {
  begin(1, 0);
  counter_.end(end(5));
  EXPECT_EQ(begin(2, 100), 100U);
  counter_.end(end(1));
  EXPECT_EQ(begin(1, 0), 5U);
}

TEST_F(LineCounterTest, what_the_source_rejected_behind_the_batch_is_a_line_each) {
  begin(1, 10);
  EXPECT_EQ(counter_.end(end(3), {{"too long", "why"}, {"too long", "why"}}),
            (std::vector<uint64_t>{14, 15}));
  EXPECT_EQ(begin(1, 10), 15U);
}

TEST_F(LineCounterTest, what_it_rejected_within_the_batch_is_where_it_says) {
  begin(1, 10);
  EXPECT_EQ(counter_.end(end(3), {{"a", "why", 2}}), (std::vector<uint64_t>{12}));
  EXPECT_EQ(begin(1, 10), 13U);
}

TEST_F(LineCounterTest, a_partition_that_has_ended_is_forgotten) {
  begin(1, 0);
  counter_.end(end(5, true));
  EXPECT_EQ(counter_.partitions(), 0U);
  begin(1, 0);
  counter_.end(end(5, true), {{"a", "why"}});
  EXPECT_EQ(counter_.partitions(), 0U);
}

}  // namespace
}  // namespace leat
