#include "connectors/serial/port_waiter.h"

#include <unistd.h>

#include <filesystem>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat::serial {
namespace {

using leat::testing::run_until;
using leat::testing::TempDir;
using leat::testing::write_file;

TEST(FoldersToWatch, of_a_path_is_the_nearest_folder_that_is_there) {
  TempDir dir;
  EXPECT_EQ(folders_to_watch(dir / "port"), (std::set<std::string>{dir.path()}));
  EXPECT_EQ(folders_to_watch(dir / "serial/by-id/port"), (std::set<std::string>{dir.path()}));
  EXPECT_EQ(folders_to_watch("/leat-nothing-here"), (std::set<std::string>{"/"}));
}

TEST(FoldersToWatch, of_a_link_are_its_own_and_that_of_what_it_points_to) {
  TempDir dir;
  std::filesystem::create_directories(dir / "a");
  std::filesystem::create_directories(dir / "b");
  std::filesystem::create_symlink(dir / "b/port", dir / "a/link");
  std::filesystem::create_symlink("../b/port", dir / "a/relative");
  EXPECT_EQ(folders_to_watch(dir / "a/link"), (std::set<std::string>{dir / "a", dir / "b"}));
  EXPECT_EQ(folders_to_watch(dir / "a/relative").size(), 2u);
}

TEST(FoldersToWatch, of_a_circle_of_links_has_an_end) {
  TempDir dir;
  std::filesystem::create_symlink(dir / "b", dir / "a");
  std::filesystem::create_symlink(dir / "a", dir / "b");
  EXPECT_EQ(folders_to_watch(dir / "a"), (std::set<std::string>{dir.path()}));
}

class PortWaiterTest : public ::testing::Test {
 protected:
  PortWaiterTest() {}
  ~PortWaiterTest() override {
    waiter_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }
  // A port opens when its file is there and says "ready".
  void wait_for(const std::string& path) {
    waiter_ = std::make_unique<PortWaiter>(loop_, path, [this, path](bool patient) {
      ++attempts_;
      patient_ = patient_ || patient;
      if (!std::filesystem::exists(path)) return Attempt::kMissing;
      opened_ = leat::testing::read_file(path) == "ready";
      return opened_ ? Attempt::kOpened : Attempt::kRefused;
    });
    waiter_->start();
  }
  bool opens() {
    return run_until(
        loop_, [this] { return opened_; }, Milliseconds{10'000});
  }

  testing::HandLoop loop_;
  TempDir dir_;
  std::unique_ptr<PortWaiter> waiter_;
  int attempts_ = 0;
  bool patient_ = false;
  bool opened_ = false;
};

TEST_F(PortWaiterTest, opens_at_once_what_is_there) {
  write_file(dir_ / "port", "ready");
  wait_for(dir_ / "port");
  EXPECT_TRUE(opened_);
  EXPECT_EQ(attempts_, 1);
}

TEST_F(PortWaiterTest, opens_what_appears_without_a_clock) {
  wait_for(dir_ / "port");
  EXPECT_EQ(attempts_, 1);
  for (int i = 0; i < 50; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_EQ(attempts_, 1) << "it polls";
  EXPECT_EQ(uv_backend_timeout(loop_.uv()), -1) << "a timer runs while nothing happens";
  write_file(dir_ / "new", "ready");
  std::filesystem::rename(dir_ / "new", dir_ / "port");
  EXPECT_TRUE(opens());
  EXPECT_FALSE(patient_);
}

TEST_F(PortWaiterTest, opens_what_appears_in_folders_that_appear) {
  wait_for(dir_ / "serial/by-id/port");
  std::filesystem::create_directories(dir_ / "serial/by-id");
  ASSERT_TRUE(run_until(
      loop_, [this] { return attempts_ > 1; }, Milliseconds{10'000}));
  write_file(dir_ / "serial/by-id/port", "ready");
  EXPECT_TRUE(opens());
}

TEST_F(PortWaiterTest, opens_what_a_dangling_link_points_to) {
  TempDir other;
  std::filesystem::create_symlink(other / "port", dir_ / "link");
  wait_for(dir_ / "link");
  write_file(other / "port", "ready");
  EXPECT_TRUE(opens());
}

TEST_F(PortWaiterTest, tries_a_port_that_is_refused_again_by_the_clock) {
  write_file(dir_ / "port", "busy");
  wait_for(dir_ / "port");
  EXPECT_FALSE(patient_) << "at the first moment it may be a matter of time";
  ASSERT_TRUE(run_until(
      loop_, [this] { return patient_; }, Milliseconds{10'000}));
  write_file(dir_ / "port", "ready");
  EXPECT_TRUE(opens());
}

TEST_F(PortWaiterTest, does_not_watch_while_the_port_is_open) {
  write_file(dir_ / "port", "ready");
  wait_for(dir_ / "port");
  uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_EQ(uv_loop_alive(loop_.uv()), 0);
}

}  // namespace
}  // namespace leat::serial
