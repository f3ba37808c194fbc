#include "fleet/saved_rollout.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace leat::fleet {
namespace {

class SavedRolloutTest : public ::testing::Test {
 protected:
  testing::TempDir folder_;
  const std::string path_ = folder_ / "rollout.json";
};

TEST_F(SavedRolloutTest, what_was_saved_is_loaded) {
  SavedRollout saved = {.config_hash = "abc", .members = {}};
  saved.members["g1"] = {.progress = Progress::kRolledBack,
                         .correlation = "c1",
                         .text = "delivers \"nothing\"",
                         .step = 3};
  saved.members["g2"] = {};
  ASSERT_TRUE(save_rollout(path_, saved));
  Result<SavedRollout> loaded = load_rollout(path_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(*loaded, saved);
}

TEST_F(SavedRolloutTest, without_a_file_nothing_was_done_yet) {
  Result<SavedRollout> loaded = load_rollout(path_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(*loaded, SavedRollout{});
}

TEST_F(SavedRolloutTest, another_file_is_not_taken_for_one) {
  for (const char* text : {"", "[]", "{\"config\":\"a\"}", "{\"config\":1,\"gateways\":[]}",
                           "{\"config\":\"a\",\"gateways\":{\"g\":{\"progress\":\"lost\"}}}"}) {
    testing::write_file(path_, text);
    EXPECT_FALSE(load_rollout(path_)) << text;
  }
}

}  // namespace
}  // namespace leat::fleet
