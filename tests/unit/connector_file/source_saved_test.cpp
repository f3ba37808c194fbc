// What is saved about a file, what is found by it at the next start, and when it is removed.
#include <algorithm>
#include <optional>

#include "connector_file/source_fixture.h"

namespace leat {
namespace {

using testing::read_file;
using testing::write_file;

TEST_F(FileSourceTest,
       a_file_that_was_renamed_before_anything_was_delivered_is_read_at_the_next_start) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  stop();  // the sink took nothing
  rename("app.log", "app.log.1");
  write_file(folder_ / "app.log", "two\n");
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, where_a_file_begins_is_saved_also_when_there_is_no_credit_to_read_it) {
  credit_ = 0;
  write_file(folder_ / "app.log", "one\n");
  start();
  EXPECT_TRUE(wait([this] { return !journal_.empty(); }));
}

TEST_F(FileSourceTest,
       where_a_file_begins_that_was_empty_when_it_was_opened_is_saved_without_credit) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  credit_ = 0;
  rename("app.log", "app.log.1");
  append("app.log", "");
  // It is open, and nothing of it is known.
  std::string fd_folder = "/proc/self/fd";
  ASSERT_TRUE(wait([this, &fd_folder] {
    auto leads_there = [this](const auto& fd) {
      std::error_code gone;
      return std::filesystem::read_symlink(fd, gone) == folder_ / "app.log";
    };
    std::filesystem::directory_iterator fds(fd_folder);
    return std::any_of(begin(fds), end(fds), leads_there);
  }));
  append("app.log", "two\n");
  EXPECT_TRUE(wait([this] { return journal_.size() == 2; }));
  stop();
  rename("app.log", "app.log.2");
  credit_ = SIZE_MAX;
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

// After it a file that was renamed meanwhile is known by nothing else.
TEST_F(FileSourceTest, where_files_begin_survives_a_power_cut) {
  settings_.paths = {folder_ / "*.log"};
  for (int n = 0; n < 100; ++n) write_file(folder_ / (std::to_string(n) + ".log"), "one\n");
  start();
  ASSERT_TRUE(wait([this] { return journal_.size() == 100; }));
  EXPECT_TRUE(on_the_disk_);
  on_the_disk_ = false;
  append("empty.log", "");
  append("empty.log", "two\n");
  ASSERT_TRUE(wait([this] { return journal_.size() == 101; }));
  EXPECT_TRUE(on_the_disk_);
}

TEST_F(FileSourceTest, where_a_file_begins_is_found_also_when_the_sink_keeps_positions) {
  exactly_once_ = true;
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  stop();
  rename("app.log", "app.log.1");
  write_file(folder_ / "app.log", "two\n");
  lines_.clear();
  for (auto& [partition, value] : std::exchange(journal_, {})) noted_.push_back({partition, value});
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, a_position_of_an_earlier_guarantee_is_not_the_sinks) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  lines_.clear();
  exactly_once_ = true;  // from now on, into an empty table
  for (auto& [partition, value] : std::exchange(journal_, {})) noted_.push_back({partition, value});
  start();
  EXPECT_TRUE(wait_lines({"one"}));
}

TEST_F(FileSourceTest, what_is_saved_about_files_that_are_gone_is_removed) {
  settings_.paths = {folder_ / "*.log"};
  write_file(folder_ / "app.log", "one\n");
  write_file(folder_ / "b.log", "two\n");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 2U);
  std::filesystem::remove(folder_ / "b.log");
  start();
  EXPECT_TRUE(wait([this] { return journal_.size() == 1; }));
}

TEST_F(FileSourceTest, what_is_appended_to_a_last_line_that_was_delivered_is_no_record) {
  settings_.follow = false;
  write_file(folder_ / "app.log", "one\ntw");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_TRUE(lines_are({"one", "tw"}));
  deliver();
  stop();
  append("app.log", "o\nthree\n");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_TRUE(lines_are({"one", "tw", "three"}));
  EXPECT_EQ(rejected_, Lines{"the rest of the line before, which had no end when it was read"});
}

TEST_F(FileSourceTest, a_last_line_may_get_its_end_later) {
  settings_.follow = false;
  write_file(folder_ / "app.log", "one\ntwo");
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  append("app.log", "\r\nthree\n");
  settings_.follow = true;
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
  EXPECT_EQ(rejected_, Lines{});
}

TEST_F(FileSourceTest, a_bounded_run_for_which_there_is_no_file_has_not_done_what_it_was_to_do) {
  settings_ = {.paths = {folder_ / "*.log"}, .follow = false};
  write_file(folder_ / "a.txt", "one\n");
  start();
  ASSERT_FALSE(wait_end());
  ASSERT_TRUE(finished_);
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(),
            "file: nothing to read: no file matches " + (folder_ / "*.log"));
}

TEST_F(FileSourceTest, bytes_that_an_earlier_run_read_are_none_of_this_one) {
  settings_ = {.paths = {folder_ / "*.log"}, .follow = false};
  write_file(folder_ / "a.log", "0123456789\n");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(bytes_read_, 11U);
  EXPECT_EQ(bytes_total_, 11U);
  deliver();
  stop();
  append("a.log", "more\n");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(bytes_read_, 5U);
  EXPECT_EQ(bytes_total_, 5U);
}

TEST_F(FileSourceTest, what_is_saved_about_files_that_are_gone_is_removed_by_a_bounded_run_too) {
  settings_ = {.paths = {folder_ / "*.log"}, .follow = false};
  write_file(folder_ / "a.log", "one\n");
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 1U);
  rename("a.log", "a.done");  // it may come back
  start();
  ASSERT_FALSE(wait_end());
  ASSERT_TRUE(finished_) << "there is nothing to read";
  stop();
  EXPECT_EQ(journal_.size(), 1U);
  std::filesystem::remove(folder_ / "a.done");
  start();
  EXPECT_TRUE(wait([this] { return journal_.empty(); }));
}

TEST_F(FileSourceTest, what_is_saved_about_files_on_a_stick_that_is_not_there_is_kept) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  std::filesystem::remove(folder_ / "app.log");
  std::string& value = journal_.begin()->second;  // as if it had been on another file system
  size_t at = value.find("\"fileSystem\":\"");
  if (at == std::string::npos) GTEST_SKIP() << "this file system has no number";
  value.insert(at + 14, "1");
  start();
  write_file(folder_ / "app.log", "two\n");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  EXPECT_EQ(journal_.size(), 2U);
}

TEST_F(FileSourceTest, the_position_of_a_file_that_is_deleted_ends_when_all_of_it_is_delivered) {
  settings_.rotate_wait = Milliseconds{0};
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  std::filesystem::remove(folder_ / "app.log");
  ASSERT_TRUE(wait([this] { return end_.last; }));
  EXPECT_EQ(journal_.size(), 1U);
  deliver();
  EXPECT_TRUE(journal_.empty());
}

}  // namespace
}  // namespace leat
