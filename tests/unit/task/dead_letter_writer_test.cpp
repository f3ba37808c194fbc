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
  EXPECT_TRUE(has(write("one"),
                  "f:1: filter: one (dead letter 1, kept in " + (folder_ / "dead.jsonl") + ")"));
  EXPECT_EQ(write("two"), "");
  loop_.advance(std::chrono::seconds(61));
  EXPECT_TRUE(has(write("three"), "f:1: filter: three (dead letter 3,"));
  EXPECT_EQ(write("four"), "");
}

}  // namespace
}  // namespace leat
