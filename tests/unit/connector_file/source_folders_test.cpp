// Folders and files that cannot be looked into: without rights, or without descriptors.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>

#include "connector_file/source_fixture.h"

namespace leat {
namespace {

using testing::TempDir;
using testing::write_file;

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

}  // namespace
}  // namespace leat
