// The source and real files: what is read, what is saved, and what is found again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "connectors/file/file_source.h"
#include "support/source_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SourceType kFileSource;

namespace {

using testing::read_file;
using testing::TempDir;
using testing::write_file;
using Lines = std::vector<std::string>;

class LineFraming final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override {
    return bytes.rfind('\n') + 1;  // npos + 1 is 0
  }
  std::string_view terminator() const override { return "\n"; }
  Status split(Batch& /*batch*/, DeadLetters& /*dead*/) const override { return {}; }
};

class FileSourceTest : public testing::SourceHarness {
 protected:
  FileSourceTest() : SourceHarness(kFileSource) {
    settings_ = {.paths = {folder_ / "app.log"}, .follow = true};
    framing_ = &by_line_;
    most_ = Milliseconds{2'000};  // not so long that a file that was renamed is let go
  }
  Result<std::unique_ptr<Source>> make() override {
    return std::unique_ptr<Source>(new FileSource(settings_));
  }
  bool bounded() override { return !settings_.follow; }
  void given(BatchRef batch) override {
    std::string_view text(batch->bytes.data(), batch->bytes.size());
    while (!text.empty()) {
      size_t end = text.find('\n');
      lines_.emplace_back(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    for (const Rejected& piece : batch->rejected) rejected_.emplace_back(piece.why);
  }

  // --- the script ---

  void append(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::app) << text;
  }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(folder_ / from, folder_ / to);
  }
  void make_folder(const std::string& name) { std::filesystem::create_directory(folder_ / name); }
  // The symbolic link `name` leads to `target` from now on.
  void point(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, folder_ / "new-link");
    rename("new-link", name);
  }
  ::testing::AssertionResult wait_lines(Lines wanted) {
    std::sort(wanted.begin(), wanted.end());
    wait([this, &wanted] { return lines_.size() >= wanted.size(); });
    return lines_are(wanted);
  }
  ::testing::AssertionResult lines_are(Lines wanted) {
    Lines got = lines_;
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    if (got == wanted) return ::testing::AssertionSuccess();
    auto out = ::testing::AssertionFailure() << "got";
    for (const std::string& line : got) out << " " << line;
    return out;
  }
  // A line that is read last shows that all before it is over.
  void expect_nothing_more() {
    size_t before = lines_.size();
    append("app.log", "marker\n");
    EXPECT_TRUE(wait([this] { return !lines_.empty() && lines_.back() == "marker"; }));
    EXPECT_EQ(lines_.size(), before + 1);
  }

  TempDir folder_;
  FileSource::Settings settings_;
  LineFraming by_line_;
  Lines lines_;
  std::vector<std::string> rejected_;
};

// As one that may not do everything: root may read every folder.
class AsNobody {
 public:
  explicit AsNobody(const TempDir& folder) {
    if (::geteuid() != 0) return;
    ::chmod(folder.path().c_str(), 0777);
    changed_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (changed_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool changed_ = false;
};

// What is written to stderr meanwhile.
class Said {
 public:
  Said() : file_(std::tmpfile()), stderr_(::dup(STDERR_FILENO)) {
    ::dup2(::fileno(file_), STDERR_FILENO);
  }
  ~Said() {
    ::dup2(stderr_, STDERR_FILENO);
    ::close(stderr_);
    std::fclose(file_);
  }
  // How often.
  int times(const std::string& what) const {
    std::string text(64 * 1024, '\0');
    ssize_t size = ::pread(::fileno(file_), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    int n = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }

 private:
  std::FILE* const file_;
  const int stderr_;
};

// No descriptor is free until it ends.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int lowest = ::dup(0);
    ::close(lowest);
    struct rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  struct rlimit before_ {};
};

// --- folders that cannot be read ----------------------------------------------------------------

TEST_F(FileSourceTest, a_file_is_not_gone_that_is_looked_for_without_descriptors) {
  write_file(folder_ / "app.log", "one\n");
  FileInfo info;
  ASSERT_EQ(look_at(folder_ / "app.log", info), 0);
  rename("app.log", "app.log.1");
  std::vector<Lost> lost{{folder_ / "app.log", info.key, folder_.path()}};
  {
    NoDescriptors none;
    find(lost);
  }
  EXPECT_EQ(lost[0].found, "");
  EXPECT_EQ(lost[0].error, EMFILE);
  EXPECT_EQ(lost[0].unreadable, folder_.path());
  lost[0].error = 0;
  find(lost);
  EXPECT_EQ(lost[0].found, folder_ / "app.log.1");
  EXPECT_EQ(lost[0].error, 0);
}

// A compressed file is not open until its turn comes.
TEST_F(FileSourceTest,
       a_file_that_is_renamed_in_a_folder_that_cannot_be_read_is_found_when_it_can_be) {
  settings_.paths = {folder_ / "logs/app.log"};
  settings_.rotate_wait = settings_.look_again = Milliseconds{1};
  AsNobody nobody(folder_);
  make_folder("logs");
  gzFile file = ::gzopen((folder_ / "logs/app.log").c_str(), "wb");
  ::gzputs(file, "one\n");
  ::gzclose(file);
  credit_ = 0;
  start();
  ASSERT_TRUE(wait([this] { return !journal_.empty(); }));  // it was looked at
  rename("logs/app.log", "logs/app.log.1");
  ::chmod((folder_ / "logs").c_str(), 0311);
  Said said;
  const std::string line = "open " + folder_ / "logs" + ": permission denied";
  give_credit();
  EXPECT_TRUE(wait([&] { return said.times(line) > 0; }));
  ::chmod((folder_ / "logs").c_str(), 0755);
  EXPECT_TRUE(wait_lines({"one"}));
  EXPECT_EQ(said.times(line), 1);
}

// What happens to its name meanwhile gives it a turn to be read: it was taken for deleted then.
TEST_F(FileSourceTest, a_file_that_is_looked_for_is_not_given_up) {
  settings_.rotate_wait = Milliseconds{1};
  for (int round = 0; round < 20; ++round) {
    stop();
    journal_.clear();
    lines_.clear();
    std::filesystem::remove(folder_ / "app.log.1");
    gzFile file = ::gzopen((folder_ / "app.log").c_str(), "wb");
    ::gzputs(file, "one\n");
    ::gzclose(file);
    credit_ = 0;
    start();
    ASSERT_TRUE(wait([this] { return !journal_.empty(); }));
    rename("app.log", "app.log.1");
    give_credit();
    ASSERT_TRUE(wait_lines({"one"})) << "round " << round;
  }
}

TEST_F(FileSourceTest, a_folder_that_cannot_be_read_is_said_once_and_read_when_it_can_be) {
  for (const char* pattern : {"logs/*.log", "**/*.log", "logs/*/*.log"}) {
    SCOPED_TRACE(pattern);
    stop();
    lines_.clear();
    journal_.clear();
    settings_.paths = {folder_ / pattern};
    AsNobody nobody(folder_);
    std::filesystem::remove_all(folder_ / "logs");
    std::filesystem::create_directories(folder_ / "logs/sub");
    write_file(folder_ / "logs/app.log", "one\n");
    write_file(folder_ / "logs/sub/app.log", "one\n");
    ::chmod((folder_ / "logs").c_str(), 0);
    Said said;
    start();
    EXPECT_TRUE(
        wait([&] { return said.times("open " + folder_ / "logs" + ": permission denied") > 0; }));
    ::chmod((folder_ / "logs").c_str(), 0755);
    EXPECT_TRUE(wait([this] { return !lines_.empty(); }));
    EXPECT_EQ(said.times("permission denied"), 1);
  }
}

TEST_F(FileSourceTest, a_bounded_run_fails_for_a_folder_that_cannot_be_read) {
  settings_.follow = false;
  for (const char* pattern : {"logs/*.log", "**/*.log"}) {
    SCOPED_TRACE(pattern);
    stop();
    settings_.paths = {folder_ / pattern};
    AsNobody nobody(folder_);
    std::filesystem::create_directories(folder_ / "logs");
    write_file(folder_ / "a.log", "one\n");
    ::chmod((folder_ / "logs").c_str(), 0);
    start();
    ASSERT_FALSE(wait_end());
    ASSERT_TRUE(finished_);
    ASSERT_FALSE(*finished_);
    EXPECT_NE(finished_->error().message().find("open " + folder_ / "logs" + ": permission denied"),
              std::string::npos)
        << finished_->error().message();
    ::chmod((folder_ / "logs").c_str(), 0755);
  }
  EXPECT_TRUE(lines_are({"one"}));
}

TEST_F(FileSourceTest, folders_are_looked_into_when_descriptors_are_free_again) {
  std::filesystem::create_directories(folder_ / "logs");
  write_file(folder_ / "logs/app.log", "one\n");
  for (const char* pattern : {"*/*.log", "logs/*.log"}) {
    for (bool follow : {false, true}) {
      SCOPED_TRACE(std::string(pattern) + (follow ? ", follow" : ""));
      stop();
      lines_.clear();
      journal_.clear();
      settings_.follow = follow;
      settings_.paths = {folder_ / pattern};
      Said said;
      start();
      {
        NoDescriptors none;
        EXPECT_TRUE(wait([&] { return said.times("too many files are open") > 0; }));
      }
      EXPECT_TRUE(wait_lines({"one"}));
      EXPECT_EQ(said.times("too many files are open"), 1);
    }
  }
}

// They are this process's own, and it holds none that it could let go of.
TEST_F(FileSourceTest, a_bounded_run_fails_when_for_a_minute_nothing_can_be_opened) {
  write_file(folder_ / "app.log", "one\n");
  for (bool follow : {false, true}) {
    stop();
    settings_.follow = follow;
    credit_ = 0;
    start();
    Said said;
    {
      NoDescriptors none;
      give_credit();
      EXPECT_TRUE(wait([&] { return said.times("too many files are open") > 0; }));
      const Milliseconds begun = loop_.now();
      EXPECT_TRUE(wait([&] { return finished_ || loop_.now() - begun > Milliseconds{90'000}; }));
    }
    ASSERT_EQ(finished_.has_value(), !follow) << "what is followed waits";
    if (follow)
      EXPECT_TRUE(wait_lines({"one"}));
    else
      EXPECT_NE(finished_->error().message().find("raise the limit"), std::string::npos);
  }
}

// --- what is saved ------------------------------------------------------------------------------

TEST_F(FileSourceTest,
       a_file_that_was_renamed_before_anything_was_delivered_is_read_at_the_next_start) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  stop();  // the sink took nothing
  rename("app.log", "app.log.1");
  write_file(folder_ / "app.log", "two\n");
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, where_a_file_begins_is_saved_also_when_there_is_no_credit_to_read_it) {
  credit_ = 0;
  write_file(folder_ / "app.log", "one\n");
  start();
  EXPECT_TRUE(wait([this] { return !journal_.empty(); }));
}

TEST_F(FileSourceTest,
       where_a_file_begins_that_was_empty_when_it_was_opened_is_saved_without_credit) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  credit_ = 0;
  rename("app.log", "app.log.1");
  append("app.log", "");
  // It is open, and nothing of it is known.
  std::string fd_folder = "/proc/self/fd";
  ASSERT_TRUE(wait([this, &fd_folder] {
    auto leads_there = [this](const auto& fd) {
      std::error_code gone;
      return std::filesystem::read_symlink(fd, gone) == folder_ / "app.log";
    };
    std::filesystem::directory_iterator fds(fd_folder);
    return std::any_of(begin(fds), end(fds), leads_there);
  }));
  append("app.log", "two\n");
  EXPECT_TRUE(wait([this] { return journal_.size() == 2; }));
  stop();
  rename("app.log", "app.log.2");
  credit_ = SIZE_MAX;
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

// After it a file that was renamed meanwhile is known by nothing else.
TEST_F(FileSourceTest, where_files_begin_survives_a_power_cut) {
  settings_.paths = {folder_ / "*.log"};
  for (int n = 0; n < 100; ++n) write_file(folder_ / (std::to_string(n) + ".log"), "one\n");
  start();
  ASSERT_TRUE(wait([this] { return journal_.size() == 100; }));
  EXPECT_TRUE(on_the_disk_);
  on_the_disk_ = false;
  append("empty.log", "");
  append("empty.log", "two\n");
  ASSERT_TRUE(wait([this] { return journal_.size() == 101; }));
  EXPECT_TRUE(on_the_disk_);
}

TEST_F(FileSourceTest, where_a_file_begins_is_found_also_when_the_sink_keeps_positions) {
  exactly_once_ = true;
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  stop();
  rename("app.log", "app.log.1");
  write_file(folder_ / "app.log", "two\n");
  lines_.clear();
  for (auto& [partition, value] : std::exchange(journal_, {})) noted_.push_back({partition, value});
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, a_position_of_an_earlier_guarantee_is_not_the_sinks) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  lines_.clear();
  exactly_once_ = true;  // from now on, into an empty table
  for (auto& [partition, value] : std::exchange(journal_, {})) noted_.push_back({partition, value});
  start();
  EXPECT_TRUE(wait_lines({"one"}));
}

TEST_F(FileSourceTest, what_is_saved_about_files_that_are_gone_is_removed) {
  settings_.paths = {folder_ / "*.log"};
  write_file(folder_ / "app.log", "one\n");
  write_file(folder_ / "b.log", "two\n");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 2U);
  std::filesystem::remove(folder_ / "b.log");
  start();
  EXPECT_TRUE(wait([this] { return journal_.size() == 1; }));
}

TEST_F(FileSourceTest, what_is_appended_to_a_last_line_that_was_delivered_is_no_record) {
  settings_.follow = false;
  write_file(folder_ / "app.log", "one\ntw");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_TRUE(lines_are({"one", "tw"}));
  deliver();
  stop();
  append("app.log", "o\nthree\n");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_TRUE(lines_are({"one", "tw", "three"}));
  EXPECT_EQ(rejected_, Lines{"the rest of the line before, which had no end when it was read"});
}

TEST_F(FileSourceTest, a_last_line_may_get_its_end_later) {
  settings_.follow = false;
  write_file(folder_ / "app.log", "one\ntwo");
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  append("app.log", "\r\nthree\n");
  settings_.follow = true;
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
  EXPECT_EQ(rejected_, Lines{});
}

TEST_F(FileSourceTest, a_bounded_run_for_which_there_is_no_file_has_not_done_what_it_was_to_do) {
  settings_ = {.paths = {folder_ / "*.log"}, .follow = false};
  write_file(folder_ / "a.txt", "one\n");
  start();
  ASSERT_FALSE(wait_end());
  ASSERT_TRUE(finished_);
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(),
            "file: nothing to read: no file matches " + (folder_ / "*.log"));
}

TEST_F(FileSourceTest, bytes_that_an_earlier_run_read_are_none_of_this_one) {
  settings_ = {.paths = {folder_ / "*.log"}, .follow = false};
  write_file(folder_ / "a.log", "0123456789\n");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(bytes_read_, 11U);
  EXPECT_EQ(bytes_total_, 11U);
  deliver();
  stop();
  append("a.log", "more\n");
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(bytes_read_, 5U);
  EXPECT_EQ(bytes_total_, 5U);
}

TEST_F(FileSourceTest, what_is_saved_about_files_that_are_gone_is_removed_by_a_bounded_run_too) {
  settings_ = {.paths = {folder_ / "*.log"}, .follow = false};
  write_file(folder_ / "a.log", "one\n");
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 1U);
  rename("a.log", "a.done");  // it may come back
  start();
  ASSERT_FALSE(wait_end());
  ASSERT_TRUE(finished_) << "there is nothing to read";
  stop();
  EXPECT_EQ(journal_.size(), 1U);
  std::filesystem::remove(folder_ / "a.done");
  start();
  EXPECT_TRUE(wait([this] { return journal_.empty(); }));
}

TEST_F(FileSourceTest, what_is_saved_about_files_on_a_stick_that_is_not_there_is_kept) {
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  std::filesystem::remove(folder_ / "app.log");
  std::string& value = journal_.begin()->second;  // as if it had been on another file system
  size_t at = value.find("\"fileSystem\":\"");
  if (at == std::string::npos) GTEST_SKIP() << "this file system has no number";
  value.insert(at + 14, "1");
  start();
  write_file(folder_ / "app.log", "two\n");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  EXPECT_EQ(journal_.size(), 2U);
}

TEST_F(FileSourceTest, the_position_of_a_file_that_is_deleted_ends_when_all_of_it_is_delivered) {
  settings_.rotate_wait = Milliseconds{0};
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  std::filesystem::remove(folder_ / "app.log");
  ASSERT_TRUE(wait([this] { return end_.last; }));
  EXPECT_EQ(journal_.size(), 1U);
  deliver();
  EXPECT_TRUE(journal_.empty());
}

// --- what is saved about files behind links ------------------------------------------------------

TEST_F(FileSourceTest, a_file_that_was_rotated_where_a_link_leads_is_read_at_the_next_start) {
  make_folder("real");
  write_file(folder_ / "real/data", "one\n");
  point("app.log", "real/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  rename("real/data", "real/data.1");
  write_file(folder_ / "real/data", "two\n");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  stop();  // the sink took nothing
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, a_file_that_is_rotated_where_a_link_leads_while_down_is_read_on) {
  make_folder("real");
  write_file(folder_ / "real/data", "one\n");
  point("app.log", "real/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  append("real/data", "two\n");
  rename("real/data", "real/data.1");
  write_file(folder_ / "real/data", "three\n");
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
  EXPECT_EQ(journal_.size(), 2U);
}

TEST_F(FileSourceTest, files_of_a_folder_that_a_link_leads_to_no_more_are_read_at_the_next_start) {
  settings_.paths = {folder_ / "now/*.log"};
  make_folder("v1");
  make_folder("v2");
  write_file(folder_ / "v1/a.log", "one\n");
  write_file(folder_ / "v1/b.log", "two\n");
  write_file(folder_ / "v2/a.log", "three\n");
  point("now", "v1");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  stop();  // the sink took nothing
  point("now", "v2");
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
}

TEST_F(FileSourceTest, a_file_that_a_link_leads_to_no_more_is_read_at_the_next_start) {
  make_folder("here");
  make_folder("there");
  write_file(folder_ / "here/data", "one\n");
  write_file(folder_ / "there/data", "two\n");
  point("app.log", "here/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  stop();  // the sink took nothing
  point("app.log", "there/data");
  lines_.clear();
  start();
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

TEST_F(FileSourceTest, what_is_saved_about_a_file_behind_a_link_is_removed_when_it_is_deleted) {
  for (bool follow : {true, false}) {
    settings_ = {.paths = {folder_ / "now/*.log"}, .follow = follow};
    make_folder("v1");
    make_folder("v2");
    write_file(folder_ / "v1/a.log", "one\n");
    write_file(folder_ / "v2/a.log", "two\n");
    point("now", "v1");
    start();
    ASSERT_TRUE(wait_lines({"one"}));
    deliver();
    stop();
    point("now", "v2");
    start();
    ASSERT_TRUE(wait_lines({"one", "two"}));
    deliver();
    stop();
    EXPECT_EQ(journal_.size(), 2U);
    point("now", "v1");  // back: it is known
    append("v1/a.log", "three\n");
    start();
    ASSERT_TRUE(wait_lines({"one", "two", "three"}));
    deliver();
    stop();
    EXPECT_EQ(journal_.size(), 2U);
    std::filesystem::remove(folder_ / "v2/a.log");
    start();
    EXPECT_TRUE(wait([this] { return journal_.size() == 1; }));
    stop();
    journal_.clear();
    lines_.clear();
    std::filesystem::remove_all(folder_ / "v1");
    std::filesystem::remove_all(folder_ / "v2");
  }
}

TEST_F(FileSourceTest, what_is_saved_about_a_file_beside_the_link_to_it_is_removed_with_it) {
  write_file(folder_ / "day-1", "one\n");
  write_file(folder_ / "day-2", "two\n");
  point("app.log", "day-1");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  point("app.log", "day-2");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 2U);
  std::filesystem::remove(folder_ / "day-1");
  start();
  EXPECT_TRUE(wait([this] { return journal_.size() == 1; }));
}

TEST_F(FileSourceTest, what_an_older_version_saved_about_a_file_behind_a_link_is_kept) {
  make_folder("here");
  make_folder("there");
  write_file(folder_ / "here/data", "one\n");
  write_file(folder_ / "there/data", "two\n");
  point("app.log", "here/data");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  deliver();
  stop();
  std::string& value = journal_.begin()->second;  // as if it did not say where it was
  size_t at = value.find(",\"folder\"");
  ASSERT_NE(at, std::string::npos);
  value.replace(at, std::string::npos, "}");
  point("app.log", "there/data");
  start();
  ASSERT_TRUE(wait_lines({"one", "two"}));
  deliver();
  stop();
  EXPECT_EQ(journal_.size(), 2U);
  point("app.log", "here/data");
  append("here/data", "three\n");
  start();
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
}

TEST_F(FileSourceTest, a_closed_file_that_a_link_leads_to_no_more_is_found_where_it_lay) {
  make_folder("here");
  make_folder("there");
  write_file(folder_ / "here/data", "one\n");
  point("now", "here");
  FileInfo info;
  ASSERT_EQ(look_at(folder_ / "now/data", info), 0);
  std::vector<Lost> lost{{folder_ / "now/data", info.key, folder_ / "here", ""}};
  point("now", "there");
  rename("here/data", "here/data.1");
  find(lost);
  EXPECT_EQ(lost[0].found, folder_ / "here/data.1");
}

// --- what is read -------------------------------------------------------------------------------

TEST_F(FileSourceTest, an_unfinished_line_holds_no_memory_and_is_given_whole) {
  settings_.paths = {folder_ / "*.log"};
  std::string half(500'000, 'x');
  for (int i = 0; i < 20; ++i) write_file(folder_ / std::to_string(i) + ".log", "a\n" + half);
  start();
  ASSERT_TRUE(wait([this] { return lines_.size() == 20; }));
  append("7.log", "y\n");
  ASSERT_TRUE(wait([this] { return lines_.size() == 21; }));
  EXPECT_EQ(lines_.back(), half + "y");
  EXPECT_TRUE(wait([this] { return budget_.used() == 0; }));
}

TEST_F(FileSourceTest, a_record_that_is_larger_than_a_batch_is_given_whole) {
  batch_bytes_ = 1000;
  std::string large(50'000, 'x');
  write_file(folder_ / "app.log", "a\n" + large + "\nb\n");
  start();
  EXPECT_TRUE(wait_lines({"a", large, "b"}));
}

TEST_F(FileSourceTest, a_file_that_is_written_anew_longer_than_before_is_read_from_its_start) {
  std::string header(330, 'h');
  write_file(folder_ / "app.log", header + "\n1\n2\n");
  start();
  ASSERT_TRUE(wait_lines({header, "1", "2"}));
  lines_.clear();
  // In one moment, as seen from here: the loop does not run.
  write_file(folder_ / "app.log", header + "\n11\n12\n13\n14\n");
  EXPECT_TRUE(wait_lines({header, "11", "12", "13", "14"}));
  EXPECT_TRUE(std::any_of(owed_.begin(), owed_.end(), [](const Position& p) { return p.last; }));
}

TEST_F(FileSourceTest,
       a_file_that_is_written_anew_while_the_sink_holds_back_is_read_from_its_start) {
  write_file(folder_ / "app.log", "header\n1\n");
  start();
  ASSERT_TRUE(wait_lines({"header", "1"}));
  lines_.clear();
  credit_ = 0;
  write_file(folder_ / "app.log", "header\n21\n22\n");
  settle();
  give_credit();
  EXPECT_TRUE(wait_lines({"header", "21", "22"}));
}

TEST_F(FileSourceTest, a_deleted_file_is_read_to_its_end) {
  settings_.rotate_wait = Milliseconds{0};
  credit_ = 0;
  write_file(folder_ / "app.log", "one\n");
  start();
  ASSERT_TRUE(wait([this] { return !journal_.empty(); }));  // it was opened
  std::filesystem::remove(folder_ / "app.log");
  settle();
  give_credit();
  EXPECT_TRUE(wait_lines({"one"}));
}

TEST_F(FileSourceTest, a_file_that_comes_back_under_a_followed_name_is_known) {
  settings_.paths = {folder_ / "*.log"};
  settings_.rotate_wait = Milliseconds{0};
  write_file(folder_ / "a.log", "one\n");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  rename("a.log", "a.tmp");
  ASSERT_TRUE(wait([this] { return end_.last; }));
  deliver();
  append("a.tmp", "two\n");
  rename("a.tmp", "b.log");
  EXPECT_TRUE(wait_lines({"one", "two"}));
  expect_nothing_more();
}

// --- links --------------------------------------------------------------------------------------

TEST_F(FileSourceTest, a_link_is_followed_to_a_file_that_grows_elsewhere) {
  std::filesystem::create_directory(folder_ / "real");
  write_file(folder_ / "real/data", "one\n");
  std::filesystem::create_symlink("real/data", folder_ / "app.log");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  append("real/data", "two\n");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  rename("real/data", "real/data.1");  // its target is rotated
  append("real/data.1", "three\n");
  write_file(folder_ / "real/data", "four\n");
  ASSERT_TRUE(wait_lines({"one", "two", "three", "four"}));
  write_file(folder_ / "other", "five\n");  // it is pointed elsewhere
  std::filesystem::create_symlink("other", folder_ / "new");
  rename("new", "app.log");
  ASSERT_TRUE(wait_lines({"one", "two", "three", "four", "five"}));
  append("other", "six\n");
  EXPECT_TRUE(wait_lines({"one", "two", "three", "four", "five", "six"}));
}

TEST_F(FileSourceTest, a_folder_that_is_a_link_may_be_pointed_elsewhere) {
  std::filesystem::create_directory(folder_ / "v1");
  std::filesystem::create_directory(folder_ / "v2");
  write_file(folder_ / "v1/a.log", "one\n");
  write_file(folder_ / "v2/a.log", "two\n");
  std::filesystem::create_directory_symlink("v1", folder_ / "now");
  settings_.paths = {folder_ / "now/*.log"};
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  std::filesystem::create_directory_symlink("v2", folder_ / "next");
  rename("next", "now");
  ASSERT_TRUE(wait_lines({"one", "two"}));
  append("v2/a.log", "three\n");
  EXPECT_TRUE(wait_lines({"one", "two", "three"}));
}

TEST_F(FileSourceTest, a_file_that_is_written_under_another_of_its_names_is_seen_to_grow) {
  std::filesystem::create_directory(folder_ / "real");
  write_file(folder_ / "real/data", "one\n");
  std::filesystem::create_hard_link(folder_ / "real/data", folder_ / "app.log");
  start();
  ASSERT_TRUE(wait_lines({"one"}));
  append("real/data", "two\n");
  EXPECT_TRUE(wait_lines({"one", "two"}));
}

}  // namespace
}  // namespace leat
