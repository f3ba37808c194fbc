#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "connectors/file/series_writer.h"
#include "support/sink_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SinkType kFileSink;

namespace testing {
namespace {

using Names = std::vector<std::string>;

// No file of this process can grow beyond `bytes`, as if the disk were full there.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

class FileSinkTest : public ::testing::Test {
 protected:
  FileSinkTest() : options_(kFileSink.options, "pipelines[0].sink") {
    options_.set("path", path_);
    format_.record_end = RecordEnd::kNewline;
  }

  void open() {
    harness_ = std::make_unique<SinkHarness>(&format_);
    harness_->set_wrap({opening_, "", 0});
    Status opened = harness_->start(kFileSink, options_);
    ASSERT_TRUE(opened) << opened.error().message();
    running_ = true;
  }
  Answer deliver(const std::vector<std::string>& lines) {
    if (!running_) open();
    return harness_->deliver(harness_->slices(lines));
  }
  void expect_delivered(const std::vector<std::string>& lines) {
    Answer answer = deliver(lines);
    EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
  }
  void close() {
    harness_->close();
    running_ = false;
  }
  void kill() {
    harness_->kill();
    running_ = false;
  }
  // What a write leaves behind that was cut short by the kill.
  void tear(const std::string& bytes) {
    std::ofstream(part_, std::ios::binary | std::ios::app) << bytes;
  }
  bool has_mark() const { return getxattr(part_.c_str(), "user.leat.whole", nullptr, 0) > 0; }
  // Leaves the file as it is on a file system without extended attributes.
  void lose_mark() { removexattr(part_.c_str(), "user.leat.whole"); }
  std::string content(const std::string& name) { return read_file(dir_ / name); }

  TempDir dir_;
  std::string path_ = dir_ / "out.ndjson";
  std::string part_ = path_ + ".part";
  std::string opening_;
  WriteFormat format_{};
  Options options_;
  std::unique_ptr<SinkHarness> harness_;  // outlives the deliveries of a test
  bool running_ = false;
};

TEST_F(FileSinkTest, file_gets_its_name_when_it_is_complete) {
  expect_delivered({"a\n", "b\n"});
  EXPECT_EQ(dir_.list(), Names{"out.ndjson.part"});
  EXPECT_EQ(read_file(part_), "a\nb\n") << "what is delivered is in the file";
  expect_delivered({"c\n"});
  close();
  EXPECT_EQ(dir_.list(), Names{"out.ndjson"});
  EXPECT_EQ(content("out.ndjson"), "a\nb\nc\n");
  EXPECT_LT(getxattr(path_.c_str(), "user.leat.whole", nullptr, 0), 0)
      << "no trace of ours stays on the file";
}

TEST_F(FileSinkTest, without_records_there_is_no_file) {
  open();
  close();
  EXPECT_EQ(dir_.list(), Names{});
}

TEST_F(FileSinkTest, finished_file_is_never_replaced) {
  expect_delivered({"first\n"});
  close();
  expect_delivered({"second\n"});
  close();
  EXPECT_EQ(dir_.list(), (Names{"out-20251009T085320Z-0001.ndjson", "out.ndjson"}));
  EXPECT_EQ(content("out.ndjson"), "first\n");
  EXPECT_EQ(content("out-20251009T085320Z-0001.ndjson"), "second\n");
}

TEST_F(FileSinkTest, large_delivery_is_written_whole) {
  std::vector<std::string> lines;
  std::string all;
  for (int i = 0; i < 5000; ++i) {
    lines.push_back(std::string(static_cast<size_t>(i % 400), 'x') + std::to_string(i) + "\n");
    all += lines.back();
  }
  expect_delivered(lines);
  close();
  EXPECT_EQ(content("out.ndjson"), all);
}

// --- killed and started again -------------------------------------------------------------------

TEST_F(FileSinkTest, killed_file_is_taken_up_again) {
  expect_delivered({"a\n"});
  kill();
  EXPECT_EQ(dir_.list(), Names{"out.ndjson.part"});
  expect_delivered({"b\n"});
  close();
  EXPECT_EQ(dir_.list(), Names{"out.ndjson"});
  EXPECT_EQ(content("out.ndjson"), "a\nb\n");
}

TEST_F(FileSinkTest, what_was_not_delivered_before_the_kill_is_cut_off) {
  expect_delivered({"a\n"});
  if (!has_mark()) GTEST_SKIP() << "the temporary folder cannot keep extended attributes";
  kill();
  tear("b\nhalf a li");
  expect_delivered({"b\n", "c\n"});
  close();
  EXPECT_EQ(content("out.ndjson"), "a\nb\nc\n") << "neither torn nor twice";
}

TEST_F(FileSinkTest, without_attributes_the_torn_line_is_cut_off) {
  expect_delivered({"a\n"});
  kill();
  lose_mark();
  tear("b\n" + std::string(200'000, 'x'));
  expect_delivered({"b\n", "c\n"});
  close();
  EXPECT_EQ(content("out.ndjson"), "a\nb\nb\nc\n") << "twice is allowed, torn is not";
}

TEST_F(FileSinkTest, without_attributes_a_csv_row_torn_inside_quotes_is_cut_off) {
  format_.record_end = RecordEnd::kUnquotedNewline;
  opening_ = "id,text\n";
  expect_delivered({"1,\"two\nlines\"\n"});
  kill();
  lose_mark();
  tear("2,\"torn after\nthe newline");
  expect_delivered({"2,b\n"});
  close();
  EXPECT_EQ(content("out.ndjson"), "id,text\n1,\"two\nlines\"\n2,b\n");
}

TEST_F(FileSinkTest, file_shorter_than_its_mark_is_cut_at_a_whole_line) {
  expect_delivered({"a\n", "bbbb\n"});
  kill();
  ASSERT_EQ(truncate(part_.c_str(), 4), 0);  // as a power cut before the fsync leaves it
  expect_delivered({"bbbb\n"});
  close();
  EXPECT_EQ(content("out.ndjson"), "a\nbbbb\n");
}

TEST_F(FileSinkTest, what_a_killed_process_left_is_finished_even_if_nothing_more_comes) {
  expect_delivered({"a\n"});
  kill();
  open();
  close();
  EXPECT_EQ(dir_.list(), Names{"out.ndjson"});
  EXPECT_EQ(content("out.ndjson"), "a\n");
}

TEST_F(FileSinkTest, killed_at_any_time_every_line_is_whole_and_there) {
  // A process that writes without end is killed at different moments; each time, at least as many
  // lines are in the file as the process was told were delivered.
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE(round);
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // The writer itself, without a pool: a process made by fork() should not start threads.
      SinkHarness harness(&format_);
      file::SeriesWriter::Settings settings;
      settings.path = path_;
      file::SeriesWriter writer(settings);
      for (int i = 0;; ++i) {
        std::vector<std::string> lines(50, std::to_string(i) + std::string(3000, 'x') + "\n");
        Delivery delivery = harness.slices(lines);
        Answer answer =
            writer.write({.routes = {{""}}, .whole = &delivery, .own = {}, .refused = {}}, {});
        if (answer.outcome != Outcome::kDelivered) _exit(1);
        if (write(pipe_ends[1], "d", 1) != 1) _exit(1);
      }
    }
    char told[64];
    ssize_t delivered = 0;
    while (delivered < 3 + round) {
      ssize_t n = read(pipe_ends[0], told, sizeof told);
      ASSERT_GT(n, 0);
      delivered += n;
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    ::close(pipe_ends[1]);
    for (ssize_t n; (n = read(pipe_ends[0], told, sizeof told)) > 0;) delivered += n;
    ::close(pipe_ends[0]);

    open();
    close();
    std::string text = content("out.ndjson");
    size_t position = 0;
    int batches = 0;
    for (; position < text.size(); ++batches) {
      std::string expected;
      for (int i = 0; i < 50; ++i)
        expected += std::to_string(batches) + std::string(3000, 'x') + "\n";
      ASSERT_EQ(text.compare(position, expected.size(), expected), 0) << "batch " << batches;
      position += expected.size();
    }
    EXPECT_GE(batches, delivered);
    EXPECT_LE(batches, delivered + 1)
        << "at most the delivery in flight is there without an answer";
    unlink(path_.c_str());
  }
}

TEST_F(FileSinkTest, second_process_is_kept_out) {
  expect_delivered({"a\n"});
  SinkHarness other(&format_);
  ASSERT_TRUE(other.start(kFileSink, options_));
  Answer answer = other.deliver(other.slices({"b\n"}));
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, part_ + ": another process is writing it");
  close();
  EXPECT_EQ(other.deliver(other.slices({"b\n"})).outcome, Outcome::kDelivered);
  other.close();
  EXPECT_EQ(content("out.ndjson"), "a\n");
  EXPECT_EQ(content("out-20251009T085320Z-0001.ndjson"), "b\n");
}

// --- full disk ----------------------------------------------------------------------------------

TEST_F(FileSinkTest, full_disk_puts_the_delivery_off_and_leaves_nothing_torn) {
  expect_delivered({"aaaa\n"});
  Delivery delivery = harness_->slices({"bbbb\n", "cccc\n"});
  {
    FullDisk full(12);
    Answer answer = harness_->deliver(delivery);
    EXPECT_EQ(answer.outcome, Outcome::kRetry);
    EXPECT_EQ(answer.reason, "write " + part_ + ": file too large");
    EXPECT_EQ(read_file(part_), "aaaa\n");
  }
  EXPECT_EQ(harness_->deliver(delivery).outcome, Outcome::kDelivered);
  close();
  EXPECT_EQ(content("out.ndjson"), "aaaa\nbbbb\ncccc\n");
}

TEST_F(FileSinkTest, delivery_over_a_rotation_goes_on_where_a_full_disk_stopped_it) {
  options_.set("rotate.bytes", int64_t{10});
  open();
  Delivery delivery = harness_->slices({"aaaa\n", "bbbb\n", "cccc\n", "dddddddd\n"});
  {
    FullDisk full(8);
    Answer answer = harness_->deliver(delivery);
    EXPECT_EQ(answer.outcome, Outcome::kRetry);
    EXPECT_EQ(dir_.list(), Names{"out.ndjson.part"});
  }
  {
    FullDisk full(10);
    EXPECT_EQ(harness_->deliver(delivery).outcome, Outcome::kDelivered);
  }
  close();
  EXPECT_EQ(content("out-20251009T085320Z-0001.ndjson"), "aaaa\nbbbb\n");
  EXPECT_EQ(content("out-20251009T085320Z-0002.ndjson"), "cccc\n");
  EXPECT_EQ(content("out-20251009T085320Z-0003.ndjson"), "dddddddd\n");
  EXPECT_EQ(dir_.list().size(), 3u);
}

TEST_F(FileSinkTest, part_of_a_delivery_that_is_in_a_finished_file_is_not_written_twice) {
  options_.set("rotate.bytes", int64_t{5});
  open();
  Delivery delivery = harness_->slices({"aaaa\n", "bbbbbbbbb\n", "cccc\n"});
  {
    FullDisk full(8);  // room for the first record, not for the second
    EXPECT_EQ(harness_->deliver(delivery).outcome, Outcome::kRetry);
  }
  EXPECT_EQ(harness_->deliver(delivery).outcome, Outcome::kDelivered);
  close();
  std::string all;
  for (const std::string& name : dir_.list()) all += content(name);
  EXPECT_EQ(all, "aaaa\nbbbbbbbbb\ncccc\n");
}

// --- rotation -----------------------------------------------------------------------------------

TEST_F(FileSinkTest, rotates_by_size_at_a_record) {
  options_.set("rotate.bytes", int64_t{10});
  expect_delivered({"aaaa\n", "bbbb\n", "cccc\n"});
  expect_delivered({"d\n", "a record larger than a file\n", "e\n"});
  close();
  EXPECT_EQ(dir_.list(),
            (Names{"out-20251009T085320Z-0001.ndjson", "out-20251009T085320Z-0002.ndjson",
                   "out-20251009T085320Z-0003.ndjson", "out-20251009T085320Z-0004.ndjson"}));
  EXPECT_EQ(content("out-20251009T085320Z-0001.ndjson"), "aaaa\nbbbb\n");
  EXPECT_EQ(content("out-20251009T085320Z-0002.ndjson"), "cccc\nd\n");
  EXPECT_EQ(content("out-20251009T085320Z-0003.ndjson"), "a record larger than a file\n");
  EXPECT_EQ(content("out-20251009T085320Z-0004.ndjson"), "e\n");
}

TEST_F(FileSinkTest, each_csv_file_begins_with_the_header) {
  format_.record_end = RecordEnd::kUnquotedNewline;
  opening_ = "id\n";
  options_.set("rotate.bytes", int64_t{8});
  expect_delivered({"1\n", "2\n", "3\n", "4\n"});
  expect_delivered({"5\n"});
  close();
  EXPECT_EQ(content("out-20251009T085320Z-0001.ndjson"), "id\n1\n2\n");
  EXPECT_EQ(content("out-20251009T085320Z-0002.ndjson"), "id\n3\n4\n");
  EXPECT_EQ(content("out-20251009T085320Z-0003.ndjson"), "id\n5\n");
}

TEST_F(FileSinkTest, other_columns_begin_a_new_file) {
  format_.record_end = RecordEnd::kUnquotedNewline;
  opening_ = "id\n";
  expect_delivered({"1\n"});
  harness_->set_wrap({"id,name\n", "", 0});
  expect_delivered({"2,b\n"});
  kill();
  opening_ = "id,name,temp\n";
  expect_delivered({"3,c,0\n"});
  close();
  EXPECT_EQ(content("out.ndjson"), "id\n1\n");
  EXPECT_EQ(content("out-20251009T085320Z-0001.ndjson"), "id,name\n2,b\n");
  EXPECT_EQ(content("out-20251009T085320Z-0002.ndjson"), "id,name,temp\n3,c,0\n");
}

TEST_F(FileSinkTest, rotates_by_age_when_the_next_delivery_comes) {
  options_.set("rotate.age", int64_t{60'000});
  expect_delivered({"a\n"});
  harness_->advance(std::chrono::seconds(59));
  expect_delivered({"b\n"});
  harness_->advance(std::chrono::seconds(1));
  expect_delivered({"c\n"});
  close();
  EXPECT_EQ(dir_.list(),
            (Names{"out-20251009T085420Z-0001.ndjson", "out-20251009T085420Z-0002.ndjson"}));
  EXPECT_EQ(content("out-20251009T085420Z-0001.ndjson"), "a\nb\n");
  EXPECT_EQ(content("out-20251009T085420Z-0002.ndjson"), "c\n");
}

TEST_F(FileSinkTest, rotates_by_age_when_nothing_more_comes) {
  options_.set("rotate.age", int64_t{5});
  expect_delivered({"a\n"});
  harness_->advance(std::chrono::milliseconds(5));
  EXPECT_TRUE(harness_->wait([this] { return !std::filesystem::exists(part_); }));
  EXPECT_EQ(dir_.list(), Names{"out-20251009T085320Z-0001.ndjson"});
  expect_delivered({"b\n"});
  close();
  EXPECT_EQ(content("out-20251009T085320Z-0002.ndjson"), "b\n");
}

TEST_F(FileSinkTest, age_counts_from_the_first_record_over_a_kill) {
  options_.set("rotate.age", int64_t{60'000});
  expect_delivered({"a\n"});
  if (!has_mark()) GTEST_SKIP() << "the temporary folder cannot keep extended attributes";
  kill();
  open();
  harness_->advance(std::chrono::seconds(60));
  expect_delivered({"b\n"});
  expect_delivered({"c\n"});
  close();
  EXPECT_EQ(content("out-20251009T085420Z-0001.ndjson"), "a\nb\n");
  EXPECT_EQ(content("out-20251009T085420Z-0002.ndjson"), "c\n");
}

TEST_F(FileSinkTest, idle_sink_without_age_keeps_no_timer) {
  expect_delivered({"a\n"});
  uv_run(harness_->loop().uv(), UV_RUN_NOWAIT);  // the harness's own handles close
  EXPECT_EQ(uv_loop_alive(harness_->loop().uv()), 0);
}

// --- what a person must mend --------------------------------------------------------------------

TEST_F(FileSinkTest, missing_folder_is_an_error_at_the_start) {
  options_.set("path", dir_ / "nowhere/out.ndjson");
  SinkHarness harness(&format_);
  Status opened = harness.start(kFileSink, options_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(),
            "open " + (dir_ / "nowhere/") + ": no such file or directory");
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUnavailable) << "it may be made, or mounted";
  harness.close();
}

TEST_F(FileSinkTest, folder_as_path_is_an_error_at_the_start) {
  for (const std::string& path : {dir_.path(), dir_.path() + "/"}) {
    options_.set("path", path);
    SinkHarness harness(&format_);
    Status opened = harness.start(kFileSink, options_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message(), "write " + path + ": is a directory");
    harness.close();
  }
}

TEST_F(FileSinkTest, what_is_no_regular_file_is_an_error_at_the_start) {
  std::string pipe = dir_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, std::string("/dev/null")}) {
    options_.set("path", path);
    SinkHarness harness(&format_);
    Status opened = harness.start(kFileSink, options_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message(), "write " + path + ": it is a device or a pipe, not a file");
    harness.close();
  }
}

TEST_F(FileSinkTest, folder_that_goes_away_later_puts_the_delivery_off) {
  std::string folder = dir_ / "usb";
  mkdir(folder.c_str(), 0755);
  options_.set("path", folder + "/out.ndjson");
  open();
  rmdir(folder.c_str());
  EXPECT_EQ(deliver({"a\n"}).outcome, Outcome::kRetry);
  mkdir(folder.c_str(), 0755);
  expect_delivered({"a\n"});
  close();
  EXPECT_EQ(read_file(folder + "/out.ndjson"), "a\n");
}

// --- the file is taken away
// -----------------------------------------------------------------------

TEST_F(FileSinkTest, a_part_file_that_is_removed_is_noticed_and_a_new_one_begun) {
  expect_delivered({"a\n"});
  std::filesystem::remove(part_);
  Answer answer = deliver({"b\n"});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("removed or renamed"), std::string::npos) << answer.reason;
  expect_delivered({"b\n"});
  EXPECT_EQ(read_file(part_), "b\n");
  close();
  EXPECT_EQ(content("out.ndjson"), "b\n");
}

TEST_F(FileSinkTest, a_part_file_that_was_renamed_is_left_to_whoever_did) {
  expect_delivered({"a\n"});
  std::filesystem::rename(part_, dir_ / "taken");
  EXPECT_EQ(deliver({"b\n"}).outcome, Outcome::kRetry);
  expect_delivered({"b\n"});
  close();
  EXPECT_EQ(content("taken"), "a\n");
  EXPECT_EQ(content("out.ndjson"), "b\n");
}

TEST_F(FileSinkTest, another_file_under_the_name_of_the_part_file_is_not_taken_for_it) {
  expect_delivered({"a\n"});
  std::filesystem::rename(part_, dir_ / "taken");
  write_file(part_, "x\n");
  EXPECT_EQ(deliver({"b\n"}).outcome, Outcome::kRetry);
  expect_delivered({"b\n"});
  EXPECT_EQ(read_file(part_), "x\nb\n");
}

TEST_F(FileSinkTest, a_removed_part_file_does_not_keep_a_rotation_from_going_on) {
  options_.set("rotate.age", int64_t{60'000});
  expect_delivered({"a\n"});
  std::filesystem::remove(part_);
  harness_->advance(std::chrono::minutes(2));
  expect_delivered({"b\n"});
  close();
  ASSERT_EQ(dir_.list().size(), 1U);
  EXPECT_EQ(content(dir_.list()[0]), "b\n");
}

TEST_F(FileSinkTest, delivery_dropped_by_close_is_not_answered) {
  expect_delivered({"a\n"});
  Delivery delivery = harness_->slices({"b\n"});
  harness_->begin(delivery);
  harness_->close();
  EXPECT_FALSE(harness_->answer());
  std::string text = content("out.ndjson");
  EXPECT_TRUE(text == "a\n" || text == "a\nb\n") << text;
}

}  // namespace
}  // namespace testing
}  // namespace leat
