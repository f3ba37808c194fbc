#include "delivery/dead_letter_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::read_file;
using testing::TempDir;
using testing::write_file;

class DeadLetterFileTest : public ::testing::Test {
 protected:
  DeadLetterFileTest() = default;
  ~DeadLetterFileTest() override {
    letters_.reset();
    EXPECT_TRUE(loop_.close());
  }
  void open(int64_t max_bytes = 1 << 20) {
    letters_ = std::make_unique<DeadLetterFile>(loop_, "test", DeadLetterConfig{path(), max_bytes});
  }
  void run_until_durable() {
    auto durable = [this] { return letters_->durable() == letters_->last(); };
    testing::run_until(loop_, durable, Milliseconds{60'000});
    EXPECT_EQ(letters_->durable(), letters_->last());
    EXPECT_EQ(letters_->pending_bytes(), 0U);
  }
  void append_and_wait(const std::string& line) {
    letters_->append(line);
    run_until_durable();
  }
  std::string path() const { return folder_ / "dead.jsonl"; }

  TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<DeadLetterFile> letters_;
};

TEST_F(DeadLetterFileTest, is_not_made_before_there_is_one) {
  open();
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(DeadLetterFileTest, lines_are_appended_in_order_also_after_a_restart) {
  open();
  for (int i = 0; i < 100; ++i) letters_->append("line " + std::to_string(i));
  run_until_durable();
  open();
  letters_->append("after the restart");
  run_until_durable();
  std::string text = read_file(path());
  EXPECT_TRUE(text.starts_with("line 0\nline 1\n"));
  EXPECT_TRUE(text.ends_with("line 99\nafter the restart\n"));
}

TEST_F(DeadLetterFileTest, a_line_torn_by_a_power_cut_does_not_spoil_the_next) {
  write_file(path(), "whole\nto");
  open();
  letters_->append("next");
  run_until_durable();
  EXPECT_EQ(read_file(path()), "whole\nto\nnext\n");
}

TEST_F(DeadLetterFileTest, is_rotated_once_at_its_limit) {
  open(100);
  for (int i = 0; i < 10; ++i) {
    letters_->append(std::string(40, static_cast<char>('a' + i)));
    run_until_durable();
  }
  EXPECT_LE(read_file(path()).size(), 100U);
  EXPECT_EQ(folder_.list(), (std::vector<std::string>{"dead.jsonl", "dead.jsonl.1"}));
  EXPECT_EQ(read_file(path()).substr(41, 1), "j");
}

TEST_F(DeadLetterFileTest, the_next_ones_have_a_file_when_theirs_is_removed) {
  open();
  append_and_wait("before");
  std::filesystem::remove(path());
  append_and_wait("after");
  EXPECT_EQ(read_file(path()), "after\n");
}

TEST_F(DeadLetterFileTest, it_is_said_once_when_lines_went_with_a_file_that_was_removed) {
  open();
  append_and_wait("before");
  ::testing::internal::CaptureStderr();
  std::filesystem::rename(path(), folder_ / "dead.old");  // they are still there
  append_and_wait("after");
  std::filesystem::resize_file(path(), 0);
  std::filesystem::remove(path());  // there is none in it
  append_and_wait("and after");
  std::filesystem::remove(path());
  append_and_wait("the last");
  append_and_wait("but one");
  std::string log = ::testing::internal::GetCapturedStderr();
  const std::string said = "the dead letters in " + path() + " were deleted by somebody, with 10 B";
  EXPECT_NE(log.find(said), std::string::npos) << log;
  EXPECT_EQ(log.find("deleted", log.find(said) + said.size()), std::string::npos) << log;
}

TEST_F(DeadLetterFileTest, the_next_ones_have_a_file_when_their_folder_is_removed) {
  letters_ = std::make_unique<DeadLetterFile>(
      loop_, "test", DeadLetterConfig{folder_ / "letters/dead.jsonl", 1 << 20});
  append_and_wait("before");
  std::filesystem::remove_all(folder_ / "letters");
  append_and_wait("after");
  EXPECT_EQ(read_file(folder_ / "letters/dead.jsonl"), "after\n");
}

TEST_F(DeadLetterFileTest, the_next_ones_begin_a_new_file_when_theirs_is_renamed) {
  open();
  append_and_wait("before");
  std::filesystem::rename(path(), folder_ / "dead.old");
  append_and_wait("after");
  EXPECT_EQ(read_file(path()), "after\n");
  EXPECT_EQ(read_file(folder_ / "dead.old"), "before\n");
}

TEST_F(DeadLetterFileTest, the_next_ones_are_behind_no_hole_when_the_file_is_emptied) {
  open();
  append_and_wait("before");
  std::filesystem::resize_file(path(), 0);
  append_and_wait("after");
  append_and_wait("and after");
  EXPECT_EQ(read_file(path()), "after\nand after\n");
}

TEST_F(DeadLetterFileTest, the_next_ones_go_to_the_file_that_has_the_name_now) {
  open();
  append_and_wait("before");
  write_file(folder_ / "other", "put there by hand\n");
  std::filesystem::rename(folder_ / "other", path());
  append_and_wait("after");
  EXPECT_EQ(read_file(path()), "put there by hand\nafter\n");
}

TEST_F(DeadLetterFileTest, what_somebody_else_appended_stays) {
  open();
  append_and_wait("before");
  std::ofstream(path(), std::ios::app) << "by hand\n";
  append_and_wait("after");
  EXPECT_EQ(read_file(path()), "before\nby hand\nafter\n");
}

TEST_F(DeadLetterFileTest, what_waits_counts_against_the_budget) {
  std::filesystem::create_directory(path());  // in the way
  Budget budget(1 << 20);
  letters_ =
      std::make_unique<DeadLetterFile>(loop_, "test", DeadLetterConfig{path(), 1 << 20}, &budget);
  for (int i = 0; i < 100; ++i) letters_->append(std::string(1000, 'x'));
  EXPECT_EQ(budget.used(), letters_->pending_bytes());
  EXPECT_FALSE(letters_->full());
  for (int i = 0; i < 200; ++i) letters_->append(std::string(1000, 'x'));
  EXPECT_TRUE(letters_->full());
  std::filesystem::remove(path());
  run_until_durable();
  EXPECT_EQ(budget.used(), 0U);
  letters_.reset();  // before its budget
}

TEST_F(DeadLetterFileTest, what_could_not_be_written_is_tried_again) {
  std::filesystem::create_directory(path());  // in the way
  open();
  letters_->append("kept");
  for (int i = 0; i < 3; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_EQ(letters_->durable(), 0U);
  std::filesystem::remove(path());
  run_until_durable();
  EXPECT_EQ(read_file(path()), "kept\n");
}

}  // namespace
}  // namespace leat
