#include "connectors/file/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "base/fnv.h"
#include "base/folder.h"

namespace leat {
namespace {

bool is_gzip(int fd) {
  unsigned char magic[3] = {};
  // RFC 1952 section 2.3.1: ID1, ID2, and the only compression method there is.
  return ::pread(fd, magic, sizeof magic, 0) == sizeof magic && magic[0] == 0x1f &&
         magic[1] == 0x8b && magic[2] == 8;
}

FileInfo from_stat(const struct stat& info) {
  return {{info.st_dev, info.st_ino},
          static_cast<uint64_t>(info.st_size),
          0,
          static_cast<uint32_t>(info.st_nlink),
          info.st_mode};
}

// When a file was made only statx() tells; it is missing before Linux 4.11 and in some sandboxes.
int look(int folder, const char* path, int flags, FileInfo& out) {
  struct statx got {};
  if (::statx(folder, path, flags | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, &got) ==
      0) {
    out = {{::makedev(got.stx_dev_major, got.stx_dev_minor), got.stx_ino},
           got.stx_size,
           0,
           got.stx_nlink,
           got.stx_mode};
    if ((got.stx_mask & STATX_BTIME) != 0)
      out.birth_us =
          static_cast<uint64_t>(got.stx_btime.tv_sec) * 1'000'000 + got.stx_btime.tv_nsec / 1000;
    return 0;
  }
  if (errno != ENOSYS && errno != EPERM) return errno;
  struct stat info {};
  if (::fstatat(folder, path, &info, flags) != 0) return errno;
  out = from_stat(info);
  return 0;
}

uint64_t number_of(const struct statfs& info) {
  uint64_t out = 0;
  static_assert(sizeof info.f_fsid == sizeof out);
  std::memcpy(&out, &info.f_fsid, sizeof out);
  return out;
}

}  // namespace

int look_at(const std::string& path, FileInfo& out, bool follow_link) {
  return look(AT_FDCWD, path.c_str(), follow_link ? 0 : AT_SYMLINK_NOFOLLOW, out);
}

uint64_t file_system_of(const std::string& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 ? number_of(info) : 0;
}

std::string FileIdentity::text() const {
  char buffer[96];
  int n = std::snprintf(buffer, sizeof buffer, "%llu:%u:%016llx",
                        static_cast<unsigned long long>(inode), head_bytes,
                        static_cast<unsigned long long>(head_hash));
  if (birth_us > 0)
    std::snprintf(buffer + n, sizeof buffer - static_cast<size_t>(n), ":%llx",
                  static_cast<unsigned long long>(birth_us));
  return buffer;
}

bool FileIdentity::parse(const std::string& text, FileIdentity& out) {
  out = {};
  const char* end = text.data() + text.size();
  auto inode = std::from_chars(text.data(), end, out.inode);
  if (inode.ec != std::errc() || inode.ptr == end || *inode.ptr != ':') return false;
  auto head = std::from_chars(inode.ptr + 1, end, out.head_bytes);
  if (head.ec != std::errc() || head.ptr == end || *head.ptr != ':') return false;
  auto hash = std::from_chars(head.ptr + 1, end, out.head_hash, 16);
  if (hash.ec != std::errc()) return false;
  if (hash.ptr == end) return true;
  if (*hash.ptr != ':') return false;
  auto birth = std::from_chars(hash.ptr + 1, end, out.birth_us, 16);
  return birth.ec == std::errc() && birth.ptr == end;
}

struct InputFile::Inflater {
  z_stream stream{};
  std::vector<unsigned char> input = std::vector<unsigned char>(32 * 1024);
  bool in_member = false;    // between the header and the trailer of a gzip member
  bool member_read = false;  // one, to its end
  bool ready = false;

  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  bool start() {
    constexpr int kGzipWindow = 15 + 16;  // zlib.h: windowBits + 16 reads gzip
    ready = inflateInit2(&stream, kGzipWindow) == Z_OK;
    return ready;
  }
};

InputFile::InputFile(int fd, std::string path, Compression compression)
    : fd_(fd), path_(std::move(path)), compression_(compression) {}

InputFile::~InputFile() {
  ::close(fd_);
}

bool InputFile::is_shortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

Result<std::shared_ptr<InputFile>> InputFile::open(const std::string& path, Compression compression,
                                                   int* error_number) {
  // Non-blocking, so that a FIFO without a writer does not stop the thread here.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (error_number != nullptr) *error_number = errno;
    return fail_errno("open " + path, errno);
  }
  std::shared_ptr<InputFile> file(new InputFile(fd, path, compression));
  Result<FileInfo> info = file->info();
  if (!info) return fail(info.error());
  if (S_ISDIR(info->mode))
    return fail(ErrorKind::kUsage, path + ": is a directory; to read the files in it write \"" +
                                       path + (path.back() == '/' ? "*\"" : "/*\""));
  if (!S_ISREG(info->mode))
    return fail(ErrorKind::kUsage, path +
                                       ": is not a regular file, so it cannot be read again "
                                       "after a crash");
  constexpr uint64_t kLarge = 1024 * 1024;
  if (info->size > kLarge) ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (compression == Compression::kGzip || (compression == Compression::kAuto && is_gzip(fd)))
    if (Status status = file->start_inflating(); !status) return fail(status.error());
  return file;
}

Status InputFile::start_inflating() {
  inflater_ = std::make_unique<Inflater>();
  if (!inflater_->start()) return fail(ErrorKind::kUnavailable, path_ + ": no memory");
  return {};
}

void InputFile::look_for_gzip() {
  if (inflater_ != nullptr || compression_ != Compression::kAuto || !is_gzip(fd_)) return;
  if (!start_inflating()) inflater_.reset();
}

InputFile::Read InputFile::read_at(uint64_t offset, char* buffer, size_t size) const {
  size_t done = 0;
  while (done < size) {
    ssize_t n = ::pread(fd_, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {done, fail_errno("read " + path_, errno)};
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return {done, {}};
}

InputFile::Read InputFile::read(char* buffer, size_t size) {
  Inflater& in = *inflater_;
  in.stream.next_out = reinterpret_cast<Bytef*>(buffer);
  in.stream.avail_out = static_cast<uInt>(size);
  while (in.stream.avail_out == size) {
    if (in.stream.avail_in == 0) {
      Read got = read_at(file_offset_, reinterpret_cast<char*>(in.input.data()), in.input.size());
      if (!got.status) return {0, got.status};
      if (got.bytes == 0) {
        if (!in.in_member) return {0, {}};
        in.in_member = false;  // said once
        return {0, fail(ErrorKind::kData, path_ + ": the gzip data ends in the middle; what could "
                                                  "be inflated is delivered")};
      }
      file_offset_ += got.bytes;
      in.stream.next_in = in.input.data();
      in.stream.avail_in = static_cast<uInt>(got.bytes);
    }
    // Archives on tapes and disks are filled up with zeros, which gzip(1) passes over, too. No
    // member begins with one.
    while (!in.in_member && in.member_read && in.stream.avail_in > 0 && *in.stream.next_in == 0) {
      ++in.stream.next_in;
      --in.stream.avail_in;
    }
    if (in.stream.avail_in == 0) continue;
    in.in_member = true;
    int code = inflate(&in.stream, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      in.in_member = false;  // RFC 1952 section 2.2: further members may follow
      in.member_read = true;
      inflateReset(&in.stream);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return {0, fail(ErrorKind::kData,
                      path_ + ": damaged gzip data (" +
                          (in.stream.msg != nullptr ? in.stream.msg : "unknown error") +
                          "); what lies before it is delivered")};
    }
  }
  size_t bytes = size - in.stream.avail_out;
  offset_ += bytes;
  return {bytes, {}};
}

Status InputFile::skip_to(uint64_t offset) {
  std::vector<char> scratch(offset_ < offset ? 64 * 1024 : 0);
  while (offset_ < offset) {
    size_t want = static_cast<size_t>(std::min<uint64_t>(scratch.size(), offset - offset_));
    Read got = read(scratch.data(), want);
    if (!got.status) return got.status;
    if (got.bytes == 0) return {};
  }
  return {};
}

Result<FileInfo> InputFile::info() const {
  FileInfo out;
  int code = look(fd_, "", AT_EMPTY_PATH, out);
  if (code != 0) return fail_errno("stat " + path_, code);
  return out;
}

FileIdentity InputFile::identity(uint32_t head_bytes) const {
  FileIdentity out;
  if (Result<FileInfo> got = info()) {
    out.inode = got->key.inode;
    out.birth_us = got->birth_us;
  }
  std::array<char, FileIdentity::kMostHead> head;
  out.head_bytes = static_cast<uint32_t>(
      read_at(0, head.data(), std::min<size_t>(head_bytes, head.size())).bytes);
  out.head_hash = fnv1a({head.data(), out.head_bytes});
  return out;
}

uint64_t InputFile::hash_before(uint64_t offset) const {
  if (inflater_ != nullptr) return 0;
  std::array<char, kBefore> tail;
  size_t size = static_cast<size_t>(std::min<uint64_t>(tail.size(), offset));
  return read_at(offset - size, tail.data(), size).bytes == size ? fnv1a({tail.data(), size}) : 0;
}

uint64_t InputFile::file_system() const {
  struct statfs info {};
  return ::fstatfs(fd_, &info) == 0 ? number_of(info) : 0;
}

std::string InputFile::folder() const {
  std::array<char, PATH_MAX> path;
  std::string link = "/proc/self/fd/" + std::to_string(fd_);
  ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  bool whole = size > 0 && static_cast<size_t>(size) < path.size() && path[0] == '/';
  return whole ? folder_of({path.data(), static_cast<size_t>(size)}) : "";
}

}  // namespace leat
