#include "part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <span>
#include <utility>

#include "base/folder.h"
#include "base/units.h"
#ifdef LEAT_ARCHIVE
#include "connectors/file/gzip_member.h"
#endif

namespace leat::file {
namespace {

constexpr const char* kMark = "user.leat.whole";
constexpr size_t kChunk = 64 * 1024;

static_assert(sizeof(off_t) == 8,
              "files may be larger than 2 GiB: build with _FILE_OFFSET_BITS=64");

// Bytes read at `offset`; short only at the end of the file.
ssize_t read_at(int fd, char* buffer, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = pread(fd, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

// A call that a signal may cut short.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

#ifdef LEAT_ARCHIVE
// A member of its own, so that it can be compared as it is.
std::string packed_opening(std::string_view opening) {
  std::string out;
  GzipMember member;
  if (opening.empty() || !member.ready()) return out;
  member.add(opening, out);
  member.end(out);
  return out;
}
#endif

}  // namespace

PartFile::PartFile(std::string path, RecordEnd record_end, WholePart whole_part, bool sync,
                   bool gzip)
    : path_(std::move(path)),
      part_path_(path_ + ".part"),
      record_end_(record_end),
      whole_part_(whole_part),
      sync_(sync),
      gzip_(gzip) {}

tl::unexpected<Error> PartFile::error(const char* what, int error_number) const {
  return fail_errno(std::string(what) + " " + part_path_, error_number);
}

Status PartFile::open(int64_t now_unix_us, bool must_exist) {
  if (is_open()) return {};
  int flags = O_RDWR | O_CLOEXEC | (must_exist ? 0 : O_CREAT);
  fd_ = uninterrupted([&] { return ::open(part_path_.c_str(), flags, 0666); });
  if (fd_ < 0 && must_exist && errno == ENOENT) return {};
  if (fd_ < 0) return error("open", errno);
  Status ready = prepare(now_unix_us);
  if (!ready) close();
  return ready;
}

Status PartFile::prepare(int64_t now_unix_us) {
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return error("lock", errno);
    return fail(ErrorKind::kUnavailable, part_path_ + ": another process is writing it");
  }
  struct stat status;
  if (fstat(fd_, &status) != 0) return error("stat", errno);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::kUsage, part_path_ + ": is not a regular file");
  // The one who had the lock may have renamed the file between our open() and our lock.
  if (!has_its_name())
    return fail(ErrorKind::kUnavailable, part_path_ + ": was renamed by another process");
  begun_unix_us_ = now_unix_us;
  marked_ = false;
  if (Status recovered = recover(static_cast<uint64_t>(status.st_size)); !recovered)
    return recovered;
  // The name must survive a power cut before anything in the file counts as delivered.
  return sync_folder(folder_of(path_));
}

bool PartFile::has_its_name() const {
  struct stat mine;
  struct stat named;
  return fstat(fd_, &mine) == 0 && stat(part_path_.c_str(), &named) == 0 &&
         named.st_ino == mine.st_ino && named.st_dev == mine.st_dev;
}

// Lets go of a file that has lost its name.
Status PartFile::gone() {
  uint64_t bytes = committed_;
  close();
  return fail(ErrorKind::kUnavailable,
              part_path_ + ": somebody removed or renamed it while it was written (" +
                  format_count(bytes, "byte") + " delivered to it); going on with a new one");
}

Status PartFile::recover(uint64_t size) {
  std::array<char, 64> text{};
  uint64_t whole = 0;
  ssize_t length = fgetxattr(fd_, kMark, text.data(), text.size() - 1);
  int64_t begun = 0;
  if (length > 0 && std::sscanf(text.data(), "%" SCNu64 " %" SCNd64, &whole, &begun) == 2) {
    marked_ = true;
    begun_unix_us_ = begun;
  }
  // Shorter than its mark: a power cut came before the data, which nobody was told was delivered.
  if (!marked_ || whole > size) {
    Result<uint64_t> found = whole_records(size);
    if (!found) return fail(found.error());
    whole = *found;
  }
  if (whole < size && ftruncate(fd_, static_cast<off_t>(whole)) != 0)
    return error("truncate", errno);
  written_ = committed_ = whole;
  synced_ = 0;  // it may be in the page cache of a system that did not crash
  return marked_ ? mark(whole) : Status{};
}

Result<uint64_t> PartFile::whole_records(uint64_t size) const {
#ifdef LEAT_ARCHIVE
  if (gzip_) return after_last_member(fd_, part_path_);
#endif
  switch (record_end_) {
    case RecordEnd::kUnknown:
      return size;
    case RecordEnd::kNewline:
      return after_last_newline(size);
    case RecordEnd::kUnquotedNewline:
      return after_last_csv_row(size);
    case RecordEnd::kOther:
      return whole_part_(
          [this](char* out, size_t bytes, uint64_t offset) {
            return static_cast<size_t>(std::max<ssize_t>(read_at(fd_, out, bytes, offset), 0));
          },
          size);
  }
  return size;
}

Result<uint64_t> PartFile::after_last_newline(uint64_t size) const {
  std::string chunk(kChunk, '\0');
  uint64_t end = size;
  while (end > 0) {
    uint64_t begin = end - std::min<uint64_t>(end, kChunk);
    ssize_t n = read_at(fd_, chunk.data(), static_cast<size_t>(end - begin), begin);
    if (n < 0) return error("read", errno);
    size_t newline = std::string_view(chunk.data(), static_cast<size_t>(n)).rfind('\n');
    if (newline != std::string_view::npos) return begin + newline + 1;
    end = begin;
  }
  return uint64_t{0};
}

// Whether a newline is inside quotes shows only from the start.
Result<uint64_t> PartFile::after_last_csv_row(uint64_t size) const {
  std::string chunk(kChunk, '\0');
  bool quoted = false;
  uint64_t after = 0;
  for (uint64_t begin = 0; begin < size; begin += kChunk) {
    ssize_t n = read_at(fd_, chunk.data(), kChunk, begin);
    if (n < 0) return error("read", errno);
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      if (chunk[i] == '"') quoted = !quoted;
      if (chunk[i] == '\n' && !quoted) after = begin + i + 1;
    }
  }
  return after;
}

Result<bool> PartFile::starts_with(std::string_view opening) const {
#ifdef LEAT_ARCHIVE
  std::string packed;
  if (gzip_) opening = packed = packed_opening(opening);
#endif
  std::string head(opening.size(), '\0');
  ssize_t n = read_at(fd_, head.data(), head.size(), 0);
  if (n < 0) return error("read", errno);
  return static_cast<size_t>(n) == opening.size() && head == opening;
}

Status PartFile::append(std::string_view opening, SliceCursor& cursor, uint64_t bytes) {
  std::array<iovec, 64> pieces;
  if (!has_its_name()) return gone();
#ifdef LEAT_ARCHIVE
  if (gzip_) return append_packed(opening, cursor, bytes);
#endif
  if (written_ == 0 && !opening.empty()) {
    pieces[0] = {const_cast<char*>(opening.data()), opening.size()};
    if (Status done = write_all(pieces.data(), 1); !done) return done;
  }
  while (bytes > 0) {
    size_t count = cursor.pieces(pieces.data(), pieces.size(), bytes);
    uint64_t before = written_;
    if (Status done = write_all(pieces.data(), count); !done) return done;
    cursor.advance(written_ - before);
    bytes -= written_ - before;
  }
  return {};
}

#ifdef LEAT_ARCHIVE
Status PartFile::append_packed(std::string_view opening, SliceCursor& cursor, uint64_t bytes) {
  std::string out;
  auto write_out = [&] {
    iovec packed{out.data(), out.size()};
    Status done = out.empty() ? Status{} : write_all(&packed, 1);
    out.clear();
    return done;
  };
  if (written_ == 0) out = packed_opening(opening);
  GzipMember member;
  if (!member.ready() || (written_ == 0 && out.empty() && !opening.empty()))
    return error("pack", ENOMEM);
  std::array<iovec, 64> pieces;
  while (bytes > 0) {
    size_t count = cursor.pieces(pieces.data(), pieces.size(), bytes);
    uint64_t taken = 0;
    for (const iovec& piece : std::span(pieces).first(count)) {
      member.add({static_cast<const char*>(piece.iov_base), piece.iov_len}, out);
      taken += piece.iov_len;
    }
    cursor.advance(taken);
    bytes -= taken;
    if (out.size() < kChunk) continue;
    if (Status done = write_out(); !done) return done;
  }
  member.end(out);
  return write_out();
}
#endif

Status PartFile::write_all(iovec* pieces, size_t count) {
  while (count > 0) {
    ssize_t n = pwritev(fd_, pieces, static_cast<int>(count), static_cast<off_t>(written_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      tl::unexpected<Error> failure = error("write", errno);
      roll_back();
      return failure;
    }
    written_ += static_cast<uint64_t>(n);
    auto taken = static_cast<size_t>(n);
    for (; count > 0 && taken >= pieces->iov_len; --count) taken -= (pieces++)->iov_len;
    if (count > 0)
      *pieces = {static_cast<char*>(pieces->iov_base) + taken, pieces->iov_len - taken};
  }
  return {};
}

Status PartFile::commit() {
  Status done = mark(written_);
  // Not fdatasync, which need not write the mark.
  if (done && sync_ && synced_ < written_ && fsync(fd_) != 0) done = error("fsync", errno);
  if (!done) {
    // After a failed fsync the kernel takes the pages for clean: another fsync would succeed and
    // prove nothing. So what it was for is cut off, and is written again by the next attempt.
    roll_back();
    return done;
  }
  if (!has_its_name()) return gone();
  committed_ = written_;
  if (sync_) synced_ = written_;
  return {};
}

// A mark that cannot be kept is taken away: one that lags behind would cut off delivered data.
Status PartFile::mark(uint64_t whole) {
  std::array<char, 64> text;
  int length =
      std::snprintf(text.data(), text.size(), "%" PRIu64 " %" PRId64, whole, begun_unix_us_);
  if (fsetxattr(fd_, kMark, text.data(), static_cast<size_t>(length), 0) == 0) {
    marked_ = true;
    return {};
  }
  int set_error = errno;
  if (!marked_ || fremovexattr(fd_, kMark) == 0 || errno == ENODATA) {
    marked_ = false;
    return {};
  }
  return error("set attribute of", set_error);
}

void PartFile::roll_back() {
  if (!is_open() || written_ == committed_) return;
  written_ = committed_;
  if (ftruncate(fd_, static_cast<off_t>(committed_)) != 0 || !mark(committed_)) close();
}

Status PartFile::finish(const std::string& final_path) {
  roll_back();
  if (!is_open()) return fail(ErrorKind::kUnavailable, part_path_ + ": was closed by an error");
  if (!has_its_name()) return gone();
  if (committed_ == 0) {
    if (unlink(part_path_.c_str()) != 0) return error("remove", errno);
    close();
    return {};
  }
  // Always, whatever `sync` says: a name that appears before its data would be an empty file after
  // a power cut.
  if (synced_ < committed_ && fsync(fd_) != 0) return error("fsync", errno);
  synced_ = committed_;
  if (marked_ && fremovexattr(fd_, kMark) == 0) marked_ = false;
  if (rename(part_path_.c_str(), final_path.c_str()) != 0)
    return error(("rename to " + final_path + ":").c_str(), errno);
  close();
  return sync_folder(folder_of(path_));
}

void PartFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace leat::file
