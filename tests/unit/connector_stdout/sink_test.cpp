#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "support/sink_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SinkType kStdoutSink;

namespace testing {
namespace {

// Puts another descriptor in place of standard output while the test runs.
class StdoutTest : public ::testing::Test {
 protected:
  StdoutTest() {
    signal(SIGPIPE, SIG_IGN);
    std::fflush(stdout);
    real_stdout_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
  }
  ~StdoutTest() override {
    harness_.reset();
    std::fflush(stdout);
    dup2(real_stdout_, STDOUT_FILENO);
    ::close(real_stdout_);
    if (reader_ >= 0) ::close(reader_);
  }

  void redirect(int fd) {
    dup2(fd, STDOUT_FILENO);
    ::close(fd);
  }
  void redirect_to_pipe() {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    reader_ = ends[0];
    fcntl(reader_, F_SETFL, O_NONBLOCK);
    redirect(ends[1]);
  }
  void redirect_to_file(const std::string& path, int flags = 0) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | flags, 0666);
    ASSERT_GE(fd, 0);
    redirect(fd);
  }
  void open() {
    harness_ = std::make_unique<SinkHarness>();
    harness_->set_wrap({opening_, "", 0});
    Status opened = harness_->start(kStdoutSink, Options(kStdoutSink.options));
    ASSERT_TRUE(opened) << opened.error().message();
  }
  // Reads what is there, without waiting.
  void read_some(size_t most = SIZE_MAX) {
    char buffer[64 * 1024];
    while (most > 0) {
      ssize_t n = read(reader_, buffer, std::min(most, sizeof buffer));
      if (n <= 0) return;
      got_.append(buffer, static_cast<size_t>(n));
      most -= static_cast<size_t>(n);
    }
  }
  Answer deliver(const std::vector<std::string>& lines) {
    return harness_->deliver(harness_->slices(lines));
  }
  // More than a pipe takes at once.
  static std::vector<std::string> many_lines() {
    std::vector<std::string> lines;
    for (int i = 0; i < 4000; ++i) lines.push_back(std::to_string(i) + std::string(90, 'x') + "\n");
    return lines;
  }
  static std::string joined(const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines) all += line;
    return all;
  }

  TempDir dir_;
  int real_stdout_ = -1;
  int reader_ = -1;
  std::string opening_;
  std::string got_;
  std::unique_ptr<SinkHarness> harness_;
};

TEST_F(StdoutTest, records_come_in_order_with_the_header_once) {
  redirect_to_pipe();
  opening_ = "id\n";
  open();
  EXPECT_EQ(deliver({"1\n", "2\n"}).outcome, Outcome::kDelivered);
  EXPECT_EQ(deliver({"3\n"}).outcome, Outcome::kDelivered);
  read_some();
  EXPECT_EQ(got_, "id\n1\n2\n3\n") << "what is answered has been written";
  harness_->close();
}

TEST_F(StdoutTest, slow_reader_does_not_block_the_loop_and_gets_everything) {
  redirect_to_pipe();
  open();
  std::vector<std::string> lines = many_lines();
  Delivery delivery = harness_->slices(lines);
  harness_->begin(delivery);
  for (int i = 0; i < 10; ++i) uv_run(harness_->loop().uv(), UV_RUN_NOWAIT);
  EXPECT_FALSE(harness_->answer()) << "the pipe is full and nobody reads";
  ASSERT_TRUE(harness_->wait([this] {
    read_some(5000);
    return harness_->answer().has_value();
  }));
  EXPECT_EQ(harness_->answer()->outcome, Outcome::kDelivered);
  read_some();
  EXPECT_EQ(got_, joined(lines));
  harness_->close();
}

TEST_F(StdoutTest, reader_that_never_reads_does_not_hold_up_the_close) {
  redirect_to_pipe();
  open();
  Delivery delivery = harness_->slices(many_lines());
  harness_->begin(delivery);
  for (int i = 0; i < 10; ++i) uv_run(harness_->loop().uv(), UV_RUN_NOWAIT);
  harness_->close();
  EXPECT_FALSE(harness_->answer());
}

TEST_F(StdoutTest, reader_that_goes_away_fails_the_pipeline) {
  redirect_to_pipe();
  open();
  EXPECT_EQ(deliver({"1\n"}).outcome, Outcome::kDelivered);
  ::close(reader_);
  reader_ = -1;
  Answer answer = deliver({"2\n"});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.reason, "stdout: closed by the reader");
  harness_->close();
}

TEST_F(StdoutTest, reader_that_goes_away_in_the_middle_fails_the_pipeline) {
  redirect_to_pipe();
  open();
  Delivery delivery = harness_->slices(many_lines());
  harness_->begin(delivery);
  for (int i = 0; i < 10; ++i) uv_run(harness_->loop().uv(), UV_RUN_NOWAIT);
  ::close(reader_);
  reader_ = -1;
  ASSERT_TRUE(harness_->wait([this] { return harness_->answer().has_value(); }));
  EXPECT_EQ(harness_->answer()->outcome, Outcome::kFailed);
  harness_->close();
}

TEST_F(StdoutTest, other_writers_of_the_pipe_keep_their_blocking_mode) {
  redirect_to_pipe();
  open();
  EXPECT_EQ(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(deliver({"1\n"}).outcome, Outcome::kDelivered);
  harness_->close();
}

TEST_F(StdoutTest, socket_is_written_and_its_mode_put_back) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  reader_ = ends[0];
  fcntl(reader_, F_SETFL, O_NONBLOCK);
  redirect(ends[1]);
  open();
  EXPECT_EQ(deliver({"1\n"}).outcome, Outcome::kDelivered);
  harness_->close();
  read_some();
  EXPECT_EQ(got_, "1\n");
  EXPECT_EQ(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StdoutTest, file_is_appended_to_where_the_shell_left_off) {
  write_file(dir_ / "out", "before\n");
  redirect_to_file(dir_ / "out", O_APPEND);
  open();
  std::vector<std::string> lines = many_lines();
  EXPECT_EQ(deliver(lines).outcome, Outcome::kDelivered);
  EXPECT_EQ(deliver({"end\n"}).outcome, Outcome::kDelivered);
  harness_->close();
  EXPECT_EQ(read_file(dir_ / "out"), "before\n" + joined(lines) + "end\n");
}

TEST_F(StdoutTest, null_device_takes_everything) {
  redirect_to_file("/dev/null");
  open();
  EXPECT_EQ(deliver(many_lines()).outcome, Outcome::kDelivered);
  harness_->close();
}

TEST_F(StdoutTest, full_disk_puts_the_delivery_off) {
  redirect_to_file("/dev/full");
  open();
  Answer answer = deliver({"1\n"});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, "write stdout: no space left on device");
  harness_->close();
}

TEST_F(StdoutTest, record_cut_by_a_full_disk_is_completed_before_the_next_attempt) {
  redirect_to_file(dir_ / "out");
  opening_ = "name\n";
  open();
  Delivery delivery = harness_->slices({"aaaa\n", "bbbb\n"});
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  for (rlim_t bytes : {3, 12}) {  // in the header, then in the second record
    full.rlim_cur = bytes;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
    EXPECT_EQ(harness_->deliver(delivery).outcome, Outcome::kRetry);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(harness_->deliver(delivery).outcome, Outcome::kDelivered);
  harness_->close();
  EXPECT_EQ(read_file(dir_ / "out"), "name\naaaa\nbbbb\naaaa\nbbbb\n");
}

TEST_F(StdoutTest, closed_stdout_is_an_error_at_the_start) {
  harness_ = std::make_unique<SinkHarness>();
  ::close(STDOUT_FILENO);
  Status opened = harness_->start(kStdoutSink, Options(kStdoutSink.options));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "stdout: is closed");
  harness_->close();
}

}  // namespace
}  // namespace testing
}  // namespace leat
