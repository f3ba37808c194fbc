// What the paths of the source name, and what must be watched for it.
#include "connectors/file/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "connectors/file/listing.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::TempDir;
using testing::write_file;
using Names = std::vector<std::string>;

class PathsTest : public ::testing::Test {
 protected:
  // What is found for these, without the folder.
  Names list(const Names& paths) {
    Names absolute;
    for (const std::string& path : paths) absolute.push_back(folder_ / path);
    std::vector<PathPattern> patterns = patterns_of(absolute);
    Listing listing(patterns);
    folders_ = listing.surroundings().folders;
    std::vector<Found> found;
    while (listing.more(found)) {
    }
    Names out;
    for (const Found& one : found) {
      out.push_back(one.path.substr(folder_.path().size() + 1));
      // Events name what they are about: both ways must come to the same.
      EXPECT_TRUE(one.error != 0 || matches(patterns, one.path)) << one.path;
    }
    return out;
  }
  std::set<std::string> watched(const std::string& path) {
    list({path});
    return folders_;
  }
  void make(const Names& names) {
    for (const std::string& name : names) {
      std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
      write_file(folder_ / name, "");
    }
  }
  TempDir folder_;
  std::set<std::string> folders_;
};

TEST_F(PathsTest, globs_are_expanded_in_order_without_folders_and_hidden_files) {
  make({"b.log", "a.log", "c.txt", ".hidden.log"});
  std::filesystem::create_directory(folder_ / "d.log");
  EXPECT_EQ(list({"c.txt", "*.log", "missing"}), (Names{"c.txt", "a.log", "b.log", "missing"}));
}

TEST_F(PathsTest, more_files_than_are_looked_at_at_once_are_found_once_each) {
  Names names;
  for (int i = 1000; i < 1600; ++i) names.push_back(std::to_string(i));
  make(names);
  EXPECT_EQ(list({"*"}), names);
}

TEST_F(PathsTest, a_file_with_the_name_of_a_pattern_is_that_file) {
  make({"export [1].csv", "export 1.csv", "a{b,c}", "ab"});
  EXPECT_EQ(list({"export [1].csv"}), (Names{"export [1].csv"}));
  EXPECT_EQ(list({"a{b,c}"}), (Names{"a{b,c}"}));
}

TEST_F(PathsTest, a_character_is_one_of_a_set_or_none_of_it_or_any) {
  make({"1.log", "a.log", "\xc3\xa4.log", "*.log", "!.log"});
  EXPECT_EQ(list({"[a-z].log"}), (Names{"a.log"}));
  EXPECT_EQ(list({"[!a-z!*].log"}), (Names{"1.log", "\xc3\xa4.log"}));
  EXPECT_EQ(list({"?.log"}), (Names{"!.log", "*.log", "1.log", "a.log", "\xc3\xa4.log"}));
  EXPECT_EQ(list({"\\*.l?g"}), (Names{"*.log"}));
}

TEST_F(PathsTest, brackets_and_backslashes_may_be_in_a_set_and_one_without_an_end_is_itself) {
  make({"[.log", "].log", "\\.log", "a.log", "[a.log"});
  EXPECT_EQ(list({"[[].log"}), (Names{"[.log"}));
  EXPECT_EQ(list({"[]].log"}), (Names{"].log"}));
  EXPECT_EQ(list({"[a\\].log"}), (Names{"\\.log", "a.log"}));
  EXPECT_EQ(list({"[![].log"}), (Names{"\\.log", "].log", "a.log"}));
  EXPECT_EQ(list({"[?.log"}), (Names{"[a.log"}));
  EXPECT_EQ(list({"\\[?.log"}), (Names{"[a.log"}));
}

TEST_F(PathsTest, two_stars_stand_for_any_number_of_folders) {
  make({"a.log", "x/b.log", "x/y/c.log", "x/y/c.txt", ".git/d.log"});
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "x/circle");
  EXPECT_EQ(list({"**/*.log"}), (Names{"a.log", "x/b.log", "x/y/c.log"}));
  EXPECT_EQ(list({"x/**"}), (Names{"x/b.log", "x/y/c.log", "x/y/c.txt"}));
  EXPECT_EQ(watched("**/*.log"),
            (std::set<std::string>{folder_.path(), folder_ / "x", folder_ / "x/y"}));
}

TEST_F(PathsTest, braces_are_alternatives) {
  make({"a.log", "b.log", "b.txt", "c.log"});
  EXPECT_EQ(list({"{a,b}.log"}), (Names{"a.log", "b.log"}));
  EXPECT_EQ(list({"{c,b}.*"}), (Names{"c.log", "b.log", "b.txt"}));
  EXPECT_EQ(list({"{a,{b,c}}.log"}), (Names{"a.log", "b.log", "c.log"}));
  EXPECT_EQ(list({"{a}.log"}), (Names{"{a}.log"}));  // no alternatives: a name
}

TEST_F(PathsTest, every_folder_that_could_hold_a_match_is_watched) {
  std::filesystem::create_directories(folder_ / "x/logs");
  std::filesystem::create_directories(folder_ / "y");
  EXPECT_EQ(watched("*/logs/*.log"), (std::set<std::string>{folder_.path(), folder_ / "x",
                                                            folder_ / "x/logs", folder_ / "y"}));
  EXPECT_EQ(watched("y/deep/er/a.log"), (std::set<std::string>{folder_ / "y"}));
}

TEST_F(PathsTest, where_a_link_leads_is_watched_too) {
  make({"real/a.log"});
  std::filesystem::create_directory_symlink("real", folder_ / "now");
  EXPECT_EQ(watched("now/*.log"), (std::set<std::string>{folder_.path(), folder_ / "now"}));
  std::filesystem::create_directory(folder_ / "links");
  std::filesystem::create_symlink("../real/a.log", folder_ / "links/a.log");
  EXPECT_EQ(links_behind(folder_ / "links/a.log"),
            (Names{folder_ / "links/a.log", folder_ / "real/a.log"}));
  std::filesystem::create_symlink("circle", folder_ / "circle");
  EXPECT_FALSE(links_behind(folder_ / "circle").empty());  // and it ends
}

}  // namespace
}  // namespace leat
