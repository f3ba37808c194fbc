#include "base/log.h"

#include <gtest/gtest.h>

#include <functional>

namespace leat {
namespace {

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override {
    log::set_level(log::Level::kInfo);
    log::set_format(log::Format::kText);
    log::set_status_lines("");
  }

  static std::string written(const std::function<void()>& what) {
    ::testing::internal::CaptureStderr();
    what();
    return ::testing::internal::GetCapturedStderr();
  }

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

TEST_F(LogTest, as_json_a_line_is_one_object_whatever_is_in_it) {
  log::set_format(log::Format::kJson);
  EXPECT_EQ(written([] { log::warn("line-1", "a \"b\"\nc"); }),
            R"({"level":"warn","scope":"line-1","message":"a \"b\"\nc"})"
            "\n");
}

TEST_F(LogTest, for_the_journal_of_systemd_a_line_begins_with_its_priority) {
  log::set_format(log::Format::kJournal);
  EXPECT_EQ(written([] {
              log::info("leat", "a");
              log::warn("leat", "b");
              log::error("leat", "c");
            }),
            "<6>leat: a\n<4>leat: b\n<3>leat: c\n");
}

TEST_F(LogTest, colours_are_those_of_trouble_only) {
  log::set_format(log::Format::kColours);
  EXPECT_EQ(written([] { log::info("leat", "a"); }), "info leat: a\n");
  EXPECT_EQ(written([] { log::error("leat", "c"); }), "\x1b[31merror\x1b[0m leat: c\n");
}

TEST_F(LogTest, status_lines_stay_below_what_is_written) {
  EXPECT_EQ(written([] { log::set_status_lines("a: 1\nb: 2"); }), "a: 1\nb: 2");
  EXPECT_EQ(written([] { log::info("leat", "x"); }), "\r\x1b[A\x1b[Jinfo leat: x\na: 1\nb: 2");
  EXPECT_EQ(written([] { log::set_status_lines("a: 3"); }), "\r\x1b[A\x1b[Ja: 3");
  EXPECT_EQ(written([] { log::set_status_lines(""); }), "\r\x1b[J");
  EXPECT_EQ(written([] { log::set_status_lines(""); }), "");
}

}  // namespace
}  // namespace leat
