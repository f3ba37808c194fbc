#include "cli/restart.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

namespace leat {
namespace {

using std::filesystem::perms;

class RestartTest : public ::testing::Test {
 protected:
  RestartTest() { std::filesystem::copy_file("/proc/self/exe", path_); }

  testing::TempDir folder_;
  const std::string path_ = folder_ / "leat";
};

TEST_F(RestartTest, a_program_that_is_whole_can_be_run) {
  EXPECT_EQ(fault_of_program(path_), "");
  EXPECT_EQ(why_not_anew(), "");
}

TEST_F(RestartTest, a_program_that_is_gone_or_may_not_be_run_is_seen_before) {
  std::filesystem::permissions(path_, perms::owner_read | perms::owner_write);
  EXPECT_EQ(fault_of_program(path_), path_ + ": Permission denied");
  std::filesystem::remove(path_);
  EXPECT_EQ(fault_of_program(path_), path_ + ": No such file or directory");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(fault_of_program(path_), path_ + ": is no file");
}

TEST_F(RestartTest, a_program_that_is_written_half_is_seen_before) {
  const uintmax_t size = std::filesystem::file_size(path_);
  // Debug information comes behind all that is loaded.
  for (const uintmax_t part : {size / 50, uintmax_t{100}, uintmax_t{10}, uintmax_t{0}}) {
    std::filesystem::resize_file(path_, part);
    EXPECT_EQ(fault_of_program(path_), path_ + ": is no whole program") << part;
  }
}

TEST_F(RestartTest, a_script_in_its_place_is_run) {
  std::ofstream(path_, std::ios::trunc) << "#!/bin/sh\n";
  EXPECT_EQ(fault_of_program(path_), "");
}

std::vector<std::string> words(std::string arguments) {
  std::vector<std::string> out;
  for (const char* one : words_of(arguments)) out.emplace_back(one);
  return out;
}

TEST(RestartArguments, are_the_words_of_the_command_line) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words({"leat\0run\0\0-c\0", 13}), (Words{"leat", "run", "", "-c"}));
  EXPECT_EQ(words({"leat\0run", 8}), (Words{"leat", "run"})) << "without a zero at its end";
  EXPECT_EQ(words(""), Words{});
}

}  // namespace
}  // namespace leat
