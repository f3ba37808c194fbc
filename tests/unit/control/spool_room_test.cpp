#include "control/spool_room.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::TempDir;

std::string warning_for(SpoolMode mode, int64_t max_bytes) {
  TempDir folder;
  PipelineConfig pipeline;
  pipeline.delivery.spool.mode = mode;
  pipeline.delivery.spool.max_bytes = max_bytes;
  return spool_room_warning({pipeline, pipeline}, folder.path());
}

constexpr int64_t kMoreThanAnyDisk = int64_t{1} << 60;

TEST(SpoolRoom, a_bound_that_the_partition_cannot_hold_is_warned_of) {
  EXPECT_NE(warning_for(SpoolMode::kOnTrouble, kMoreThanAnyDisk).find("maxSpool"),
            std::string::npos);
}

TEST(SpoolRoom, one_that_it_can_hold_is_not) {
  EXPECT_EQ(warning_for(SpoolMode::kAlways, 1), "");
}

TEST(SpoolRoom, what_never_spools_needs_no_room) {
  EXPECT_EQ(warning_for(SpoolMode::kNever, kMoreThanAnyDisk), "");
}

}  // namespace
}  // namespace leat
