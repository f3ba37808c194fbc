#include "base/log.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { log::set_level(log::Level::kInfo); }

  // What one debug line writes, and whether its text was made.
  std::string debug_line() {
    ::testing::internal::CaptureStderr();
    log::debug("line-1", [this] {
      made_ = true;
      return std::string("read 7 bytes");
    });
    return ::testing::internal::GetCapturedStderr();
  }
  bool made_ = false;
};

TEST_F(LogTest, a_debug_line_costs_no_text_when_nobody_reads_it) {
  EXPECT_EQ(debug_line(), "");
  EXPECT_FALSE(made_);
}

TEST_F(LogTest, a_debug_line_is_written_when_it_is_asked_for) {
  log::set_level(log::Level::kDebug);
  std::string line = debug_line();
  EXPECT_EQ(line, "debug line-1: read 7 bytes\n");
}

}  // namespace
}  // namespace leat
