#include "task/dead_letter_writer.h"

#include <gtest/gtest.h>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

class DeadLetterWriterTest : public ::testing::Test {
 protected:
  DeadLetterWriterTest() {
    writer_ = std::make_unique<DeadLetterWriter>(loop_, "p",
                                                 DeadLetterConfig{folder_ / "dead.jsonl"}, budget_);
  }
  ~DeadLetterWriterTest() override {
    writer_.reset();
    EXPECT_TRUE(loop_.close());
  }
  // Writes one; what the log says of it.
  std::string write(const std::string& reason) {
    ::testing::internal::CaptureStderr();
    writer_->write({.stage = "filter", .reason = reason, .position = {}, .text = "x"}, "f:1");
    return ::testing::internal::GetCapturedStderr();
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  testing::TempDir folder_;
  testing::HandLoop loop_;
  Budget budget_{1 << 20};
  std::unique_ptr<DeadLetterWriter> writer_;
};

TEST_F(DeadLetterWriterTest, each_is_kept_in_the_file) {
  write("one");
  write("two");
  EXPECT_FALSE(writer_->all_durable());
  ASSERT_TRUE(testing::run_until(loop_, [this] { return writer_->all_durable(); }));
  std::string file = testing::read_file(folder_ / "dead.jsonl");
  EXPECT_TRUE(has(file, "\"reason\":\"one\"")) << file;
  EXPECT_TRUE(has(file, "\"reason\":\"two\"")) << file;
}

TEST_F(DeadLetterWriterTest, the_log_tells_of_the_first_and_then_of_their_number_once_a_minute) {
  EXPECT_TRUE(has(write("value 1"), "f:1: filter: value 1 (dead letter 1, kept in " +
                                        (folder_ / "dead.jsonl") + ")"));
  EXPECT_EQ(write("value 2"), "");
  loop_.advance(std::chrono::seconds(61));
  EXPECT_TRUE(has(write("value 3"), "f:1: filter: value 3 (dead letter 3,"));
  EXPECT_EQ(write("value 4"), "");
}

TEST_F(DeadLetterWriterTest, one_that_was_tried_again_and_failed_again_is_counted_once) {
  write("one");
  loop_.advance(std::chrono::seconds(61));
  ::testing::internal::CaptureStderr();
  writer_->write({.stage = "filter", .reason = "two", .position = {}, .text = "x", .attempt = 2},
                 "f:1");
  EXPECT_TRUE(has(::testing::internal::GetCapturedStderr(), "two (a dead letter again, attempt 2"));
  EXPECT_EQ(writer_->count(), 1U);
  ASSERT_EQ(writer_->reasons().all().size(), 1U);
  EXPECT_EQ(writer_->reasons().all()[0].reason, "one");
}

TEST_F(DeadLetterWriterTest, the_log_tells_of_each_new_reason_at_once_as_long_as_there_are_few) {
  for (const char* reason : {"a", "b", "c"})
    EXPECT_TRUE(has(write(reason), std::string("filter: ") + reason + " (dead letter "));
  EXPECT_EQ(write("b"), "");
  int told = 0;
  for (int i = 0; i < 100; ++i) told += write(std::string(1 + i, 'x')).empty() ? 0 : 1;
  EXPECT_LE(told, 14);
}

}  // namespace
}  // namespace leat
