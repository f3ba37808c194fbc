#include "connectors/file/input_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>
#include <vector>

namespace leat {
namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo): only tells files apart, nobody gains by a collision.
uint64_t fnv1a(const char* data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; ++i) {
    hash ^= static_cast<unsigned char>(data[i]);
    hash *= 0x100000001b3;
  }
  return hash;
}

bool is_gzip(int fd) {
  unsigned char magic[3] = {};
  // RFC 1952 section 2.3.1: ID1, ID2, and the only compression method there is.
  return ::pread(fd, magic, sizeof magic, 0) == sizeof magic && magic[0] == 0x1f &&
         magic[1] == 0x8b && magic[2] == 8;
}

}  // namespace

std::string FileIdentity::text() const {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%llu:%u:%016llx", static_cast<unsigned long long>(inode),
                head_bytes, static_cast<unsigned long long>(head_hash));
  return buffer;
}

bool FileIdentity::parse(const std::string& text, FileIdentity& out) {
  const char* end = text.data() + text.size();
  auto inode = std::from_chars(text.data(), end, out.inode);
  if (inode.ec != std::errc() || inode.ptr == end || *inode.ptr != ':') return false;
  auto head = std::from_chars(inode.ptr + 1, end, out.head_bytes);
  if (head.ec != std::errc() || head.ptr == end || *head.ptr != ':') return false;
  auto hash = std::from_chars(head.ptr + 1, end, out.head_hash, 16);
  return hash.ec == std::errc() && hash.ptr == end;
}

struct InputFile::Inflater {
  z_stream stream{};
  std::vector<unsigned char> input = std::vector<unsigned char>(32 * 1024);
  bool in_member = false;  // between the header and the trailer of a gzip member
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

InputFile::InputFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

InputFile::~InputFile() {
  ::close(fd_);
}

Result<std::shared_ptr<InputFile>> InputFile::open(const std::string& path,
                                                   Compression compression) {
  // Non-blocking, so that a FIFO without a writer does not stop the loop here.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail_errno("open " + path, errno);
  std::shared_ptr<InputFile> file(new InputFile(fd, path));
  Result<struct stat> info = file->status();
  if (!info) return fail(info.error());
  if (S_ISDIR(info->st_mode))
    return fail(ErrorKind::kUsage, path + ": is a directory; to read the files in it write \"" +
                                       path + (path.back() == '/' ? "*\"" : "/*\""));
  if (!S_ISREG(info->st_mode))
    return fail(ErrorKind::kUsage, path +
                                       ": is not a regular file, so it cannot be read again "
                                       "after a crash");
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (compression == Compression::kGzip || (compression == Compression::kAuto && is_gzip(fd))) {
    file->inflater_ = std::make_unique<Inflater>();
    if (!file->inflater_->start()) return fail(ErrorKind::kUnavailable, path + ": no memory");
  }
  return file;
}

InputFile::Read InputFile::read(char* buffer, size_t size) {
  return inflater_ == nullptr ? read_plain(buffer, size) : read_gzip(buffer, size);
}

InputFile::Read InputFile::read_plain(char* buffer, size_t size) {
  while (true) {
    ssize_t n = ::pread(fd_, buffer, size, static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {0, fail_errno("read " + path_, errno)};
    offset_ += static_cast<size_t>(n);
    file_offset_ = offset_;
    return {static_cast<size_t>(n), {}};
  }
}

InputFile::Read InputFile::read_gzip(char* buffer, size_t size) {
  Inflater& in = *inflater_;
  in.stream.next_out = reinterpret_cast<Bytef*>(buffer);
  in.stream.avail_out = static_cast<uInt>(size);
  while (in.stream.avail_out == size) {
    if (in.stream.avail_in == 0) {
      ssize_t n = ::pread(fd_, in.input.data(), in.input.size(), static_cast<off_t>(file_offset_));
      if (n < 0) return {0, fail_errno("read " + path_, errno)};
      if (n == 0) {
        if (!in.in_member) return {0, {}};
        in.in_member = false;  // said once
        return {0, fail(ErrorKind::kData, path_ + ": the gzip data ends in the middle; what could "
                                                  "be inflated is delivered")};
      }
      file_offset_ += static_cast<size_t>(n);
      in.stream.next_in = in.input.data();
      in.stream.avail_in = static_cast<uInt>(n);
    }
    in.in_member = true;
    int code = inflate(&in.stream, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      in.in_member = false;  // RFC 1952 section 2.2: further members may follow
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
  if (inflater_ == nullptr) {
    offset_ = offset;
    file_offset_ = offset;
    return {};
  }
  std::vector<char> scratch(64 * 1024);
  while (offset_ < offset) {
    size_t want = static_cast<size_t>(std::min<uint64_t>(scratch.size(), offset - offset_));
    Read got = read(scratch.data(), want);
    if (!got.status) return got.status;
    if (got.bytes == 0) return {};
  }
  return {};
}

Result<struct stat> InputFile::status() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return fail_errno("stat " + path_, errno);
  return info;
}

FileIdentity InputFile::identity(uint32_t head_bytes) const {
  FileIdentity out;
  struct stat info {};
  if (::fstat(fd_, &info) == 0) out.inode = info.st_ino;
  char head[FileIdentity::kMostHead];
  ssize_t n = ::pread(fd_, head, std::min<size_t>(head_bytes, sizeof head), 0);
  out.head_bytes = n > 0 ? static_cast<uint32_t>(n) : 0;
  out.head_hash = fnv1a(head, out.head_bytes);
  return out;
}

uint64_t InputFile::hash_before(uint64_t offset) const {
  if (inflater_ != nullptr) return 0;
  char tail[64];
  size_t size = static_cast<size_t>(std::min<uint64_t>(sizeof tail, offset));
  ssize_t n = ::pread(fd_, tail, size, static_cast<off_t>(offset - size));
  return n == static_cast<ssize_t>(size) ? fnv1a(tail, size) : 0;
}

}  // namespace leat
