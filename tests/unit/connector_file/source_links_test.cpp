// Files behind symbolic links: how they are followed, and what is saved about them.
#include <optional>

#include "connector_file/source_fixture.h"

namespace leat {
namespace {

using testing::read_file;
using testing::write_file;

TEST_F(FileSourceTest, a_file_that_was_rotated_where_a_link_leads_is_read_at_the_next_start) {
  make_folder("real");
  write_file(folder_ / "real/data", "one\n");
  point("app.log", "real/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  rename("real/data", "real/data.1");
  write_file(folder_ / "real/data", "two\n");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  stop();  // the sink took nothing
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, a_file_that_is_rotated_where_a_link_leads_while_down_is_read_on) {
  make_folder("real");
  write_file(folder_ / "real/data", "one\n");
  point("app.log", "real/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  append("real/data", "two\n");
  rename("real/data", "real/data.1");
  write_file(folder_ / "real/data", "three\n");
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
  EXPECT_EQ(journal_.size(), 2U);
}

TEST_F(FileSourceTest, files_of_a_folder_that_a_link_leads_to_no_more_are_read_at_the_next_start) {
  settings_.paths = {folder_ / "now/*.log"};
  make_folder("v1");
  make_folder("v2");
  write_file(folder_ / "v1/a.log", "one\n");
  write_file(folder_ / "v1/b.log", "two\n");
  write_file(folder_ / "v2/a.log", "three\n");
  point("now", "v1");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  stop();  // the sink took nothing
  point("now", "v2");
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
}

TEST_F(FileSourceTest, a_file_that_a_link_leads_to_no_more_is_read_at_the_next_start) {
  make_folder("here");
  make_folder("there");
  write_file(folder_ / "here/data", "one\n");
  write_file(folder_ / "there/data", "two\n");
  point("app.log", "here/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  stop();  // the sink took nothing
  point("app.log", "there/data");
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, what_is_saved_about_a_file_behind_a_link_is_removed_when_it_is_deleted) {
  for (bool follow : {true, false}) {
    settings_ = {.paths = {folder_ / "now/*.log"}, .follow = follow};
    make_folder("v1");
    make_folder("v2");
    write_file(folder_ / "v1/a.log", "one\n");
    write_file(folder_ / "v2/a.log", "two\n");
    point("now", "v1");
    start();
    ASSERT_TRUE(wait_lines({"one"}));
    deliver();
    stop();
    point("now", "v2");
    start();
    ASSERT_TRUE(wait_lines({"one", "two"}));
    deliver();
    stop();
    EXPECT_EQ(journal_.size(), 2U);
    point("now", "v1");  // back: it is known
    append("v1/a.log", "three\n");
    start();
    ASSERT_TRUE(wait_lines({"one", "two", "three"}));
    deliver();
    stop();
    EXPECT_EQ(journal_.size(), 2U);
    std::filesystem::remove(folder_ / "v2/a.log");
    start();
    EXPECT_TRUE(wait([this] { return journal_.size() == 1; }));
    stop();
    journal_.clear();
    lines_.clear();
    std::filesystem::remove_all(folder_ / "v1");
    std::filesystem::remove_all(folder_ / "v2");
  }
}

TEST_F(FileSourceTest, what_is_saved_about_a_file_beside_the_link_to_it_is_removed_with_it) {
  write_file(folder_ / "day-1", "one\n");
  write_file(folder_ / "day-2", "two\n");
  point("app.log", "day-1");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  point("app.log", "day-2");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 2U);
  std::filesystem::remove(folder_ / "day-1");
  start();
  EXPECT_TRUE(wait([this] { return journal_.size() == 1; }));
}

TEST_F(FileSourceTest, what_an_older_version_saved_about_a_file_behind_a_link_is_kept) {
  make_folder("here");
  make_folder("there");
  write_file(folder_ / "here/data", "one\n");
  write_file(folder_ / "there/data", "two\n");
  point("app.log", "here/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  std::string& value = journal_.begin()->second;  // as if it did not say where it was
  size_t at = value.find(",\"folder\"");
  ASSERT_NE(at, std::string::npos);
  value.replace(at, std::string::npos, "}");
  point("app.log", "there/data");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 2U);
  point("app.log", "here/data");
  append("here/data", "three\n");
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
}

TEST_F(FileSourceTest, a_closed_file_that_a_link_leads_to_no_more_is_found_where_it_lay) {
  make_folder("here");
  make_folder("there");
  write_file(folder_ / "here/data", "one\n");
  point("now", "here");
  FileInfo info;
  ASSERT_EQ(look_at(folder_ / "now/data", info), 0);
  std::vector<Lost> lost{{folder_ / "now/data", info.key, folder_ / "here", ""}};
  point("now", "there");
  rename("here/data", "here/data.1");
  find(lost);
  EXPECT_EQ(lost[0].found, folder_ / "here/data.1");
}

TEST_F(FileSourceTest, a_link_is_followed_to_a_file_that_grows_elsewhere) {
  std::filesystem::create_directory(folder_ / "real");
  write_file(folder_ / "real/data", "one\n");
  std::filesystem::create_symlink("real/data", folder_ / "app.log");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  append("real/data", "two\n");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  rename("real/data", "real/data.1");  // its target is rotated
  append("real/data.1", "three\n");
  write_file(folder_ / "real/data", "four\n");
  ASSERT_TRUE(wait_lines({"one", "two", "three", "four"}));
  write_file(folder_ / "other", "five\n");  // it is pointed elsewhere
  std::filesystem::create_symlink("other", folder_ / "new");
  rename("new", "app.log");
  ASSERT_TRUE(wait_lines({"one", "two", "three", "four", "five"}));
  append("other", "six\n");
  EXPECT_TRUE(wait_lines({"one", "two", "three", "four", "five", "six"}));
}

TEST_F(FileSourceTest, a_folder_that_is_a_link_may_be_pointed_elsewhere) {
  std::filesystem::create_directory(folder_ / "v1");
  std::filesystem::create_directory(folder_ / "v2");
  write_file(folder_ / "v1/a.log", "one\n");
  write_file(folder_ / "v2/a.log", "two\n");
  std::filesystem::create_directory_symlink("v1", folder_ / "now");
  settings_.paths = {folder_ / "now/*.log"};
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  std::filesystem::create_directory_symlink("v2", folder_ / "next");
  rename("next", "now");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  append("v2/a.log", "three\n");
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
}

TEST_F(FileSourceTest, a_file_that_is_written_under_another_of_its_names_is_seen_to_grow) {
  std::filesystem::create_directory(folder_ / "real");
  write_file(folder_ / "real/data", "one\n");
  std::filesystem::create_hard_link(folder_ / "real/data", folder_ / "app.log");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  append("real/data", "two\n");
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

}  // namespace
}  // namespace leat
