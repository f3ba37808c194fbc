#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "stage/format.h"
#include "support/source_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SourceType kStdinSource;

namespace testing {
namespace {

using Texts = std::vector<std::string>;

// Puts another descriptor in place of standard input while the test runs.
class StdinTest : public SourceHarness {
 protected:
  StdinTest() : SourceHarness(kStdinSource) {
    real_stdin_ = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    json_ = read_->make_framing(Options(read_->options));
    framing_ = json_.get();
  }
  ~StdinTest() override {
    dup2(real_stdin_, STDIN_FILENO);
    ::close(real_stdin_);
    close_writer();
  }

  void redirect(int fd) {
    dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  void read_pipe() {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    redirect(ends[0]);
    writer_ = ends[1];
    start();
  }
  void write(const std::string& text) {
    ASSERT_EQ(::write(writer_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (writer_ >= 0) ::close(std::exchange(writer_, -1));
  }
  void given(BatchRef batch) override {
    texts_.emplace_back(batch->bytes.data(), batch->bytes.size());
    for (const Rejected& rejected : batch->rejected)
      rejected_.push_back(std::string(rejected.bytes.substr(0, 4)) + ": " +
                          std::string(rejected.why));
  }
  std::string all() const {
    std::string out;
    for (const std::string& text : texts_) out += text;
    return out;
  }

  int real_stdin_;
  int writer_ = -1;
  const ReadFormat* read_ = find_read_format("json");
  std::unique_ptr<Framing> json_;
  Texts texts_;
  Texts rejected_;
};

TEST_F(StdinTest, whole_records_go_on_when_they_come_and_not_before) {
  read_pipe();
  write("{\"a\":1}\n{\"a\"");
  EXPECT_TRUE(wait([this] { return batches_ == 1; }));
  EXPECT_EQ(all(), "{\"a\":1}\n");
  write(":2}\n");
  EXPECT_TRUE(wait([this] { return batches_ == 2; }));
  EXPECT_EQ(all(), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_FALSE(finished_);
  close_writer();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(batches_, 2U);
}

TEST_F(StdinTest, a_last_line_without_an_end_is_a_record_and_a_byte_order_mark_is_none) {
  read_pipe();
  write("\xEF\xBB\xBF{\"a\":1}");
  close_writer();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(all(), "{\"a\":1}\n");
}

TEST_F(StdinTest, nothing_at_all_is_an_end) {
  read_pipe();
  close_writer();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(batches_, 0U);
}

TEST_F(StdinTest, without_credit_nothing_is_read) {
  credit_ = 0;
  read_pipe();
  write("{\"a\":1}\n");
  settle();
  EXPECT_EQ(batches_, 0U);
  give_credit();
  EXPECT_TRUE(wait([this] { return batches_ == 1; }));
}

TEST_F(StdinTest, what_is_too_long_is_rejected_and_what_is_behind_it_is_read) {
  options_.set("maxRecord", int64_t{1024});
  batch_bytes_ = 512;
  read_pipe();
  write("{\"a\":1}\n" + std::string(5'000, 'x'));
  EXPECT_TRUE(wait([this] { return !rejected_.empty(); }));
  write("yyy\n{\"a\":2}\n");
  EXPECT_TRUE(wait([this] { return all().ends_with("{\"a\":2}\n"); }));
  EXPECT_EQ(all(), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(rejected_, (Texts{"xxxx: the record is longer than maxRecord (1.0 KiB); only its start "
                              "is kept here"}));
}

// It passed where it came in one read.
TEST_F(StdinTest, what_is_too_long_is_rejected_in_whatever_reads_it_comes) {
  options_.set("maxRecord", int64_t{1024});
  read_pipe();
  const std::string longer(1025, 'x');
  write("{\"a\":1}\n" + longer + "\n" + longer + "\n{\"a\":2}\n" + longer);
  close_writer();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(all(), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(rejected_.size(), 3U);
}

TEST_F(StdinTest, what_lies_behind_a_record_that_is_too_long_waits_for_credit) {
  options_.set("maxRecord", int64_t{1024});
  credit_ = 1;
  read_pipe();
  write("{\"a\":1}\n" + std::string(1025, 'x') + "\n{\"a\":2}\n");
  close_writer();
  EXPECT_TRUE(wait([this] { return batches_ == 1; }));
  settle();
  EXPECT_EQ(all(), "{\"a\":1}\n");
  give_credit();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(all(), "{\"a\":1}\n{\"a\":2}\n");
}

TEST_F(StdinTest, a_file_is_read_to_its_end) {
  TempDir folder;
  std::string path = folder / "in";
  std::string content;
  for (int i = 0; i < 5'000; ++i) content += "{\"a\":" + std::to_string(i) + "}\n";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  ASSERT_EQ(lseek(fd, 0, SEEK_SET), 0);
  redirect(fd);
  batch_bytes_ = 1'000;
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(all(), content);
}

TEST_F(StdinTest, a_closed_standard_input_is_said) {
  ::close(STDIN_FILENO);
  Result<std::unique_ptr<Source>> source = make();
  ASSERT_TRUE(source);
  Status opened = (*source)->open(*this);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "stdin: is closed");
  bool closed = false;
  (*source)->stop([&closed] { closed = true; });
  EXPECT_TRUE(closed);
}

}  // namespace
}  // namespace testing
}  // namespace leat
