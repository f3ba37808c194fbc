#include "connectors/file/filling.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace leat {
namespace {

class ByLine final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override {
    return bytes.rfind('\n') + 1;  // npos + 1 is 0
  }
  std::string_view terminator() const override { return "\n"; }
  bool may_begin_with_nul() const override { return nul_begins; }
  bool nul_begins = false;
  Status split(Batch& /*batch*/, DeadLetters& /*dead*/) const override { return {}; }
};

class Filling : public ::testing::Test {
 protected:
  // What the batch has of these bytes, which are read behind what was read before.
  std::string filled(const std::string& bytes, InputState state = InputState::kMore) {
    batch_ = BatchRef::make(pool_, Content::kBytes);
    char* buffer = batch_->arena.array<char>(before_.size() + bytes.size() + 1);
    std::copy(before_.begin(), before_.end(), buffer);
    std::copy(bytes.begin(), bytes.end(), buffer + before_.size());
    filled_ = fill(*batch_, stream_, {buffer + before_.size(), bytes.size()}, state, by_line_,
                   kMaxRecord);
    before_ += bytes.substr(0, bytes.size() - stream_.unfinished);
    return std::string(batch_->bytes.data(), batch_->bytes.size());
  }
  std::string rejected() const {
    std::string out;
    for (const Rejected& one : batch_->rejected)
      out += std::string(one.bytes) + ": " + std::string(one.why);
    return out;
  }

  static constexpr size_t kMaxRecord = 70;
  const std::string hole_ = std::string(100, '\0');
  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  ByLine by_line_;
  InputStream stream_;
  std::string before_;  // hashes look back at it
  BatchRef batch_;
  Filled filled_;
};

TEST_F(Filling, gives_whole_records_and_reads_the_rest_again) {
  EXPECT_EQ(filled("one\ntwo\nthr"), "one\ntwo\n");
  EXPECT_EQ(batch_->end.offset, 8U);
  EXPECT_EQ(stream_.offset, 8U);
  EXPECT_EQ(stream_.unfinished, 3U);
  EXPECT_EQ(filled("three\n"), "three\n");
  EXPECT_EQ(batch_->begin.offset, 8U);
  EXPECT_FALSE(batch_->end.last);
}

TEST_F(Filling, at_the_end_completes_the_last_record_whose_end_is_that_of_the_file) {
  EXPECT_EQ(filled("one\ntwo", InputState::kEnd), "one\ntwo\n");
  EXPECT_EQ(batch_->end.offset, 7U) << "the newline is not in the file";
  EXPECT_TRUE(batch_->end.last);
  EXPECT_EQ(rejected(), "");
}

TEST_F(Filling, rejects_a_record_that_cannot_be_read_to_its_end) {
  EXPECT_EQ(filled("one\ntw", InputState::kBroken), "one\n");
  EXPECT_EQ(rejected(), "tw: the file could not be read to the end of this record");
  EXPECT_TRUE(batch_->end.last);
}

TEST_F(Filling, rejects_a_record_that_is_too_long_once) {
  EXPECT_EQ(filled("one\n" + std::string(80, 'x')), "one\n");
  EXPECT_EQ(rejected().substr(0, 20), std::string(20, 'x'));
  EXPECT_EQ(filled("xxx\ntwo\n"), "two\n");
  EXPECT_EQ(rejected(), "");
}

// It was one record that was too long, and took the one behind it along.
TEST_F(Filling, skips_a_hole_and_reads_what_is_behind_it) {
  EXPECT_EQ(filled("one\n" + hole_ + "two\n"), "one\n");
  EXPECT_EQ(filled_.hole, 0U);
  EXPECT_TRUE(filled_.more) << "not at the end of what was read";
  EXPECT_EQ(stream_.offset, 4U);
  EXPECT_EQ(filled(hole_ + "two\nthree\n"), "two\nthree\n");
  EXPECT_EQ(batch_->begin.offset, 104U);
  EXPECT_EQ(filled_.hole, 100U);
  EXPECT_EQ(filled_.hole_end, 104U);
  EXPECT_FALSE(filled_.more);
  EXPECT_EQ(rejected(), "");
}

TEST_F(Filling, skips_a_hole_in_pieces_and_keeps_nothing_of_it) {
  EXPECT_EQ(filled(hole_), "");
  EXPECT_EQ(stream_.offset, 100U);
  EXPECT_EQ(stream_.unfinished, 0U);
  EXPECT_EQ(filled_.hole, 0U) << "it may go on";
  EXPECT_EQ(filled(std::string(3, '\0') + "one\n"), "one\n");
  EXPECT_EQ(filled_.hole, 103U);
}

TEST_F(Filling, does_not_end_a_file_before_what_lies_behind_a_hole) {
  EXPECT_EQ(filled("one\n" + hole_ + "two", InputState::kEnd), "one\n");
  EXPECT_TRUE(filled_.more);
  EXPECT_FALSE(batch_->end.last);
  EXPECT_EQ(filled(hole_ + "two", InputState::kEnd), "two\n");
  EXPECT_TRUE(batch_->end.last);
  EXPECT_EQ(filled_.hole, 100U);
}

TEST_F(Filling, ends_a_file_that_ends_in_a_hole) {
  EXPECT_EQ(filled(hole_, InputState::kEnd), "");
  EXPECT_TRUE(batch_->end.last);
  EXPECT_EQ(filled_.hole, 100U);
  EXPECT_EQ(rejected(), "");
}

// It took the line behind it along.
TEST_F(Filling, skips_a_hole_however_small_it_is) {
  EXPECT_EQ(filled(std::string(20, '\0') + "x\n"), "x\n");
  EXPECT_EQ(filled_.hole, 20U);
  EXPECT_EQ(filled(std::string(1, '\0') + "y\n"), "y\n");
  EXPECT_EQ(filled_.hole, 1U);
  EXPECT_EQ(rejected(), "");
}

TEST_F(Filling, skips_a_small_hole_between_lines_wherever_a_read_ends) {
  const std::string hole(3, '\0');
  EXPECT_EQ(filled("one\n" + hole + "two\n"), "one\n");
  EXPECT_TRUE(filled_.more);
  EXPECT_EQ(filled(hole + "two\n"), "two\n");
  EXPECT_EQ(filled_.hole, 3U);
  EXPECT_EQ(filled(hole), "") << "what follows is not there yet";
  EXPECT_EQ(stream_.unfinished, 3U);
  EXPECT_EQ(filled(hole + "thr"), "");
  EXPECT_EQ(filled(hole + "three\n"), "three\n");
  EXPECT_EQ(filled_.hole, 3U);
  EXPECT_EQ(filled(hole + "end", InputState::kEnd), "end\n");
  EXPECT_EQ(filled_.hole, 3U);
}

// Its encoding was not said: each line is the dead letter that it was.
TEST_F(Filling, takes_utf16_for_no_holes) {
  const std::string text("a\0\n\0b\0\n\0c\0\n", 11);
  EXPECT_EQ(filled(text), text);
  EXPECT_FALSE(filled_.more);
  EXPECT_EQ(filled_.hole, 0U);
}

TEST_F(Filling, takes_a_line_of_few_nuls_for_one) {
  const std::string text("\0\0\na\n\0\r\n", 8);
  EXPECT_EQ(filled(text), text);
  EXPECT_EQ(filled_.hole, 0U);
}

// It was one dead letter with the line behind the hole.
TEST_F(Filling, gives_up_a_line_that_ends_in_a_hole_and_no_other) {
  EXPECT_EQ(filled("one\ntw" + hole_ + "three\n"), "one\n");
  EXPECT_EQ(rejected(), "tw: the line ends in a hole of NUL bytes: its rest was never written");
  EXPECT_TRUE(filled_.more);
  EXPECT_EQ(stream_.offset, 6U);
  EXPECT_EQ(filled(hole_ + "three\n"), "three\n");
  EXPECT_EQ(filled_.hole, 100U);
  EXPECT_EQ(rejected(), "");
  EXPECT_EQ(filled("fo" + hole_, InputState::kEnd), "");
  EXPECT_EQ(rejected().substr(0, 4), "fo: ");
  EXPECT_EQ(filled(hole_, InputState::kEnd), "");
  EXPECT_TRUE(batch_->end.last);
}

TEST_F(Filling, takes_few_nuls_within_a_line_for_text_and_before_one_for_bytes) {
  const std::string few = "y" + std::string(63, '\0') + "\n";
  EXPECT_EQ(filled(few), few);
  EXPECT_EQ(filled_.hole, 0U);
  by_line_.nul_begins = true;
  const std::string bytes = std::string(63, '\0') + "x\n";
  EXPECT_EQ(filled(bytes), bytes);
  EXPECT_EQ(filled_.hole, 0U);
  EXPECT_EQ(filled(hole_ + "x\n"), "x\n");
}

}  // namespace
}  // namespace leat
