#include "letters/letter_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include "letters/letter.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

class LetterFilesTest : public ::testing::Test {
 protected:
  static std::string letter(uint64_t id, const std::string& why = "why") {
    return R"({"id":")" + letter_id_text(id) +
           R"(","time":"2026-01-02T03:04:05.678Z","stage":"filter","reason":")" + why + "\"}\n";
  }
  void write(const std::string& text, const std::string& suffix = "") {
    testing::write_file(path_ + suffix, text);
  }
  std::vector<LetterLine> read(LetterPlace from = {}) {
    std::vector<LetterLine> out;
    Result<LetterReader> reader = LetterReader::open(path_, from);
    EXPECT_TRUE(reader);
    LetterLine line;
    while (*reader->next(line)) {
      out.push_back(line);
      out.back().text = {};  // gone with the reader
    }
    return out;
  }
  std::vector<uint64_t> open_ones() {
    std::vector<uint64_t> out;
    for (const LetterLine& line : read())
      if (line.state == LetterState::kOpen) out.push_back(line.id);
    return out;
  }
  using Ids = std::vector<uint64_t>;

  testing::TempDir folder_;
  const std::string path_ = folder_ / "p.jsonl";
};

TEST_F(LetterFilesTest, are_empty_when_there_are_none) {
  EXPECT_TRUE(read().empty());
}

TEST_F(LetterFilesTest, are_read_oldest_first_but_for_a_line_that_is_not_whole) {
  write(letter(1) + letter(2), ".1");
  write(letter(3) + letter(4).substr(0, 70));
  EXPECT_EQ(open_ones(), (Ids{1, 2, 3}));
}

TEST_F(LetterFilesTest, lines_longer_than_what_is_read_at_once_are_whole) {
  const std::string why(200'000, 'x');
  write(letter(1) + letter(2, why) + letter(3));
  std::vector<LetterLine> lines = read();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2].place.offset, letter(1).size() + letter(2, why).size());
}

TEST_F(LetterFilesTest, what_is_marked_stays_so_while_the_letters_themselves_do_not_change) {
  write(letter(1) + letter(2) + letter(3));
  const std::string before = testing::read_file(path_);
  std::vector<LetterLine> lines = read();
  ASSERT_TRUE(mark_letters(
      path_, std::vector<LetterMark>{{lines[0].place, 1, false}, {lines[2].place, 3, true}}));
  lines = read();
  EXPECT_EQ(lines[0].state, LetterState::kDone);
  EXPECT_EQ(lines[1].state, LetterState::kOpen);
  EXPECT_EQ(lines[2].state, LetterState::kDropped);
  EXPECT_EQ(testing::read_file(path_), before);
  struct stat info {};
  ASSERT_EQ(::stat((path_ + ".done").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(LetterFilesTest, marks_go_with_a_file_that_has_become_the_older_one) {
  write(letter(1) + letter(2));
  ASSERT_TRUE(mark_letters(path_, std::vector<LetterMark>{{read()[0].place, 1, false}}));
  std::rename(path_.c_str(), (path_ + ".1").c_str());  // and a kill before the marks are moved
  write(letter(3));
  EXPECT_EQ(open_ones(), (Ids{2, 3}));
  std::rename((path_ + ".done").c_str(), (path_ + ".1.done").c_str());
  EXPECT_EQ(open_ones(), (Ids{2, 3}));
}

TEST_F(LetterFilesTest, a_letter_read_before_the_file_was_moved_is_marked_where_it_is_now) {
  write(letter(1) + letter(2));
  const LetterPlace second = read()[1].place;
  std::rename(path_.c_str(), (path_ + ".1").c_str());
  write(letter(3) + letter(4));
  ASSERT_TRUE(mark_letters(path_, std::vector<LetterMark>{{second, 2, false}}));
  EXPECT_EQ(open_ones(), (Ids{1, 3, 4}));
}

TEST_F(LetterFilesTest, marks_of_letters_that_have_gone_mean_none_of_those_in_their_place) {
  write(letter(1) + letter(2));
  std::vector<LetterLine> lines = read();
  ASSERT_TRUE(mark_letters(
      path_, std::vector<LetterMark>{{lines[0].place, 1, false}, {lines[1].place, 2, true}}));
  write(letter(3) + letter(4));  // somebody has emptied it
  EXPECT_EQ(open_ones(), (Ids{3, 4}));
}

TEST_F(LetterFilesTest, reading_goes_on_where_it_ended_also_behind_a_move) {
  write(letter(1) + letter(2));
  const LetterPlace second = read()[1].place;
  std::rename(path_.c_str(), (path_ + ".1").c_str());
  write(letter(3));
  std::vector<LetterLine> rest = read(second);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].id, 2U);
  EXPECT_EQ(rest[1].id, 3U);
  EXPECT_EQ(read({second.file, second.offset + 5}).size(), 3U) << "there no line begins";
}

}  // namespace
}  // namespace leat
