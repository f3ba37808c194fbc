#include "runtime/progress.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

PipelineStatus half_way() {
  PipelineStatus status;
  status.bytes_read = 50 << 20;
  status.bytes_total = 100 << 20;
  status.records = 500'000;
  status.delivered = 400'000;
  return status;
}

TEST(Progress, shows_how_far_and_how_long_still) {
  EXPECT_EQ(progress_line(half_way(), Milliseconds(10'000)),
            "50% of 100.0 MiB, 500,000 records (50,000/s), 400,000 delivered, 10.0s left");
}

TEST(Progress, shows_trouble_when_there_is_some) {
  PipelineStatus status = half_way();
  status.dead_letters = 12;
  status.retries = 3;
  std::string line = progress_line(status, Milliseconds(10'000));
  EXPECT_NE(line.find("400,000 delivered, 12 dead letters, 3 retries"), std::string::npos) << line;
}

TEST(Progress, of_a_source_of_unknown_size_has_no_share) {
  PipelineStatus status = half_way();
  status.bytes_total.reset();
  EXPECT_EQ(progress_line(status, Milliseconds(1000)),
            "500,000 records (500,000/s), 400,000 delivered");
}

TEST(Progress, the_summary_accounts_for_every_record) {
  PipelineStatus status;
  status.bytes_read = 1 << 20;
  status.records = 10'000;
  status.delivered = 7'000;
  status.filtered = 2'900;
  status.dropped = 60;
  status.dead_letters = 40;
  EXPECT_EQ(summary_line(status, Milliseconds(2000)),
            "10,000 records read (1.0 MiB), 7,000 delivered, 2,900 filtered, 40 dead letters, 60 "
            "dropped, in 2.0s (5,000 records/s)");
}

}  // namespace
}  // namespace leat
