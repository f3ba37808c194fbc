#include "fleet/saved_rollout.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace leat::fleet {
namespace {

class SavedRolloutTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ =
        std::filesystem::path(::testing::TempDir()) /
        ("rollout-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
         ".json");
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::filesystem::path path_;
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
    std::ofstream(path_) << text;
    EXPECT_FALSE(load_rollout(path_)) << text;
  }
}

}  // namespace
}  // namespace leat::fleet
