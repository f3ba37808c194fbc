#include "delivery/dead_letter_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/folder.h"
#include "base/log.h"
#include "base/units.h"
#include "loop/pool.h"

namespace leat {

// What the pool thread works on; one job at a time, so no lock.
struct DeadLetterFile::LineAppender {
  std::string path;
  int64_t max_bytes = 0;
  int fd = -1;
  int64_t size = 0;     // of the file, up to the last whole line
  bool named = false;   // by its folder, also after a power cut
  bool whole = true;    // nothing lies behind `size` that an attempt left
  std::string text;     // what to append
  std::string rotated;  // set when a rotation happened: what was let go or moved
  int64_t removed = 0;  // bytes of lines that went with a file that somebody has deleted

  ~LineAppender() {
    if (fd >= 0) ::close(fd);
  }

  Status open() {
    // Its owner's alone: what is in it is what people send through leat.
    fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT && ::mkdir(folder_of(path).c_str(), 0750) == 0)
      fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC,
                  0600);  // its folder was removed, too
    if (fd < 0) return fail_errno("open " + path, errno);
    named = false;
    whole = true;
    struct stat info {};
    if (::fstat(fd, &info) != 0) return fail_errno("stat " + path, errno);
    size = info.st_size;
    char last = '\n';
    if (size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n') {
      // The end of a line that a power cut tore: end it, so that the next one stands alone.
      if (::write(fd, "\n", 1) != 1) return fail_errno("write " + path, errno);
      ++size;
    }
    return {};
  }

  // Whether the path still names the file that is open, and that is as it was left here.
  bool is_ours() const {
    struct stat open_file {};
    struct stat named_file {};
    if (::fstat(fd, &open_file) != 0 || ::stat(path.c_str(), &named_file) != 0) return false;
    if (open_file.st_dev != named_file.st_dev || open_file.st_ino != named_file.st_ino)
      return false;
    // Longer than that is what an attempt of ours left, or somebody else's.
    return whole ? open_file.st_size == size : open_file.st_size >= size;
  }

  // What was written is in a file that has a name, by this path or (it was renamed) another.
  bool is_kept() const {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && info.st_nlink > 0 && info.st_size >= size;
  }

  Status rotate() {
    std::string older = path + ".1";
    rotated = older;
    ::close(std::exchange(fd, -1));
    if (std::rename(path.c_str(), older.c_str()) != 0) return fail_errno("rename " + path, errno);
    // With what is noted beside it (letters/letter_files.h); a reader looks at both such files.
    if (std::rename((path + ".done").c_str(), (older + ".done").c_str()) != 0 && errno == ENOENT)
      ::unlink((older + ".done").c_str());
    return open();
  }

  Status append() {
    // A file that is taken away again and again while it is written is the next attempt's business.
    constexpr int kTries = 3;
    for (int i = 0; i < kTries; ++i) {
      if (Status written = append_once(); !written) return written;
      if (is_kept()) return {};
      size -= static_cast<int64_t>(text.size());  // it is written again
      let_go();
    }
    return fail(ErrorKind::kUnavailable, path + ": is removed or emptied while it is written");
  }

  void let_go() {
    struct stat open_file {};
    struct stat named_file {};
    if (::fstat(fd, &open_file) == 0 && open_file.st_nlink == 0 &&
        ::stat(path.c_str(), &named_file) != 0)
      removed += size;
    ::close(std::exchange(fd, -1));
  }

  Status append_once() {
    if (fd >= 0 && !is_ours()) let_go();
    if (fd < 0)
      if (Status opened = open(); !opened) return opened;
    if (size > 0 && size + static_cast<int64_t>(text.size()) > max_bytes)
      if (Status moved = rotate(); !moved) return moved;
    // What an attempt left that failed half way goes. Always at the end: a file that is emptied at
    // this moment gets no hole.
    if (!whole && ::ftruncate(fd, static_cast<off_t>(size)) != 0)
      return fail_errno("truncate " + path, errno);
    whole = false;
    size_t done = 0;
    while (done < text.size()) {
      ssize_t n = ::write(fd, text.data() + done, text.size() - done);
      if (n < 0) return fail_errno("write " + path, errno);
      done += static_cast<size_t>(n);
    }
    if (::fdatasync(fd) != 0) {
      // What the page cache holds is unknown now: write it all again through a new descriptor.
      int error_number = errno;
      ::close(std::exchange(fd, -1));
      return fail_errno("fsync " + path, error_number);
    }
    if (!named)
      if (Status synced = sync_folder(folder_of(path)); !synced) return synced;
    named = true;
    whole = true;
    size += static_cast<int64_t>(text.size());
    return {};
  }
};

DeadLetterFile::DeadLetterFile(Loop& loop, std::string scope, DeadLetterConfig config,
                               Budget* budget)
    : loop_(loop), scope_(std::move(scope)), config_(std::move(config)), retry_(loop) {
  if (budget != nullptr) charge_ = Charge(*budget);
}

DeadLetterFile::~DeadLetterFile() = default;

size_t DeadLetterFile::pending_bytes() const {
  return waiting_.size() + (appender_ != nullptr ? appender_->text.size() : 0);
}

void DeadLetterFile::append(const std::string& line) {
  waiting_ += line;
  waiting_ += '\n';
  ++last_;
  charge_.set(pending_bytes());
  if (writing_ == 0) write_next();
}

void DeadLetterFile::write_next() {
  if (appender_ == nullptr) {
    appender_ = std::make_shared<LineAppender>();
    appender_->path = config_.path;
    appender_->max_bytes = config_.max_bytes;
  }
  appender_->text += std::exchange(waiting_, {});
  writing_ = last_;
  run_in_pool(
      loop_, lifetime_, [appender = appender_] { return appender->append(); },
      [this](const Status& status) { written(status); });
}

void DeadLetterFile::written(const Status& status) {
  uint64_t wrote = std::exchange(writing_, 0);
  if (!appender_->rotated.empty())
    log::warn(scope_, "dead letters reached " + format_bytes(config_.max_bytes) + ": moved to " +
                          std::exchange(appender_->rotated, {}) +
                          ", what was there before is gone");
  if (int64_t bytes = std::exchange(appender_->removed, 0); bytes > 0)
    log::warn(scope_, "the dead letters in " + config_.path + " were deleted by somebody, with " +
                          format_bytes(bytes) + " of them; the next ones go to a new file");
  if (!status) {
    if (!std::exchange(failed_, true))
      log::error(scope_, "dead letters cannot be written (" + status.error().message() +
                             "): trying again, nothing is acknowledged beyond them meanwhile");
    constexpr Milliseconds kRetryDelay{2000};
    writing_ = wrote;  // text stays in the writer; the number keeps append() from starting a write
    retry_.start(kRetryDelay, [this] { write_next(); });
    return;
  }
  if (std::exchange(failed_, false)) log::info(scope_, "dead letters are written again");
  appender_->text = {};  // with its memory: it may have been much
  charge_.set(pending_bytes());
  durable_ = wrote;
  if (!waiting_.empty()) write_next();
  for (const auto& [whose, listener] : listeners_) listener();
}

}  // namespace leat
