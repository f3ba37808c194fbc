// What is read of a file that grows, is written anew, or goes.

#include <algorithm>

#include "connector_file/source_fixture.h"

namespace leat {
namespace {

using testing::read_file;
using testing::write_file;

TEST_F(FileSourceTest, an_unfinished_line_holds_no_memory_and_is_given_whole) {
  settings_.paths = {folder_ / "*.log"};
  std::string half(500'000, 'x');
  for (int i = 0; i < 20; ++i) write_file(folder_ / std::to_string(i) + ".log", "a\n" + half);
  start();
  ASSERT_TRUE(wait([this] { return lines_.size() == 20; }));
  append("7.log", "y\n");
  ASSERT_TRUE(wait([this] { return lines_.size() == 21; }));
  EXPECT_EQ(lines_.back(), half + "y");
  EXPECT_TRUE(wait([this] { return budget_.used() == 0; }));
}

TEST_F(FileSourceTest, a_record_that_is_larger_than_a_batch_is_given_whole) {
  batch_bytes_ = 1000;
  std::string large(50'000, 'x');
  write_file(folder_ / "app.log", "a\n" + large + "\nb\n");
  start();
  EXPECT_TRUE(wait_lines({"a", large, "b"}));
}

TEST_F(FileSourceTest, a_file_that_is_written_anew_longer_than_before_is_read_from_its_start) {
  std::string header(330, 'h');
  write_file(folder_ / "app.log", header + "\n1\n2\n");
  start();
  ASSERT_TRUE(wait_lines({header, "1", "2"}));
  lines_.clear();
  // In one moment, as seen from here: the loop does not run.
  write_file(folder_ / "app.log", header + "\n11\n12\n13\n14\n");
  EXPECT_TRUE(wait_lines({header, "11", "12", "13", "14"}));
  EXPECT_TRUE(std::any_of(owed_.begin(), owed_.end(), [](const Position& p) { return p.last; }));
}

TEST_F(FileSourceTest,
       a_file_that_is_written_anew_while_the_sink_holds_back_is_read_from_its_start) {
  write_file(folder_ / "app.log", "header\n1\n");
  start();
  ASSERT_TRUE(wait_lines({"header", "1"}));
  lines_.clear();
  credit_ = 0;
  write_file(folder_ / "app.log", "header\n21\n22\n");
  settle();
  give_credit();
  EXPECT_TRUE(wait_lines({"header", "21", "22"}));
}

TEST_F(FileSourceTest, a_deleted_file_is_read_to_its_end) {
  settings_.rotate_wait = Milliseconds{0};
  credit_ = 0;
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait([this] { return !journal_.empty(); }));  // it was opened
  std::filesystem::remove(folder_ / "app.log");
  settle();
  give_credit();
  EXPECT_TRUE(wait_lines({"one"}));
}

TEST_F(FileSourceTest, a_file_that_comes_back_under_a_followed_name_is_known) {
  settings_.paths = {folder_ / "*.log"};
  settings_.rotate_wait = Milliseconds{0};
  write_file(folder_ / "a.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  rename("a.log", "a.tmp");
  ASSERT_TRUE(wait([this] { return end_.last; }));
  deliver();
  append("a.tmp", "two\n");
  rename("a.tmp", "b.log");
  EXPECT_TRUE(wait_lines({"one", "two"}));
  expect_nothing_more();
}

}  // namespace
}  // namespace leat
