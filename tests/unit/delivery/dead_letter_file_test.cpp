#include "delivery/dead_letter_file.h"

#include <gtest/gtest.h>

#include "sink_harness.h"

namespace leat {
namespace {

using testing::read_file;
using testing::TempDir;
using testing::write_file;

class DeadLetterFileTest : public ::testing::Test {
 protected:
  DeadLetterFileTest() { uv_loop_init(&loop_); }
  ~DeadLetterFileTest() override {
    letters_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }
  void open(int64_t max_bytes = 1 << 20) {
    letters_ =
        std::make_unique<DeadLetterFile>(&loop_, "test", DeadLetterConfig{path(), max_bytes});
  }
  void run_until_durable() {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (letters_->durable() < letters_->last() && std::chrono::steady_clock::now() < deadline)
      uv_run(&loop_, UV_RUN_ONCE);
    EXPECT_EQ(letters_->durable(), letters_->last());
    EXPECT_EQ(letters_->pending_bytes(), 0U);
  }
  std::string path() const { return folder_ / "dead.jsonl"; }

  TempDir folder_;
  uv_loop_t loop_;
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

TEST_F(DeadLetterFileTest, what_could_not_be_written_is_tried_again) {
  std::filesystem::create_directory(path());  // in the way
  open();
  letters_->append("kept");
  for (int i = 0; i < 3; ++i) uv_run(&loop_, UV_RUN_NOWAIT);
  EXPECT_EQ(letters_->durable(), 0U);
  std::filesystem::remove(path());
  run_until_durable();
  EXPECT_EQ(read_file(path()), "kept\n");
}

}  // namespace
}  // namespace leat
