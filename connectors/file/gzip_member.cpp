#include "connectors/file/gzip_member.h"

#include <unistd.h>

#include <cerrno>

namespace leat::file {
namespace {

constexpr int kGzip = 15 + 16;  // the largest window, with the header of gzip
constexpr size_t kPiece = 64 * 1024;

Bytef* bytes_of(const char* data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

}  // namespace

GzipMember::GzipMember()
    : ready_(deflateInit2(&zlib_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, /*memLevel=*/8,
                          Z_DEFAULT_STRATEGY) == Z_OK) {}

GzipMember::~GzipMember() {
  if (ready_) deflateEnd(&zlib_);
}

void GzipMember::deflate_some(std::string_view bytes, int flush, std::string& out) {
  zlib_.next_in = bytes_of(bytes.data());
  zlib_.avail_in = static_cast<uInt>(bytes.size());
  char packed[4096];
  do {
    zlib_.next_out = bytes_of(packed);
    zlib_.avail_out = sizeof packed;
    (void)deflate(&zlib_, flush);  // with room for output it cannot fail
    out.append(packed, sizeof packed - zlib_.avail_out);
  } while (zlib_.avail_out == 0);
}

Result<uint64_t> after_last_member(int fd, const std::string& path) {
  z_stream zlib = {};
  if (inflateInit2(&zlib, kGzip) != Z_OK) return fail_errno("read " + path, ENOMEM);
  std::string packed(kPiece, '\0');
  std::string unpacked(kPiece, '\0');
  uint64_t offset = 0;
  uint64_t after = 0;
  int state = Z_OK;
  int error = 0;
  while (state == Z_OK) {
    const ssize_t n = ::pread(fd, packed.data(), packed.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = errno;
    if (n <= 0) break;
    offset += static_cast<uint64_t>(n);
    zlib.next_in = bytes_of(packed.data());
    zlib.avail_in = static_cast<uInt>(n);
    while (state == Z_OK && zlib.avail_in > 0) {
      zlib.next_out = bytes_of(unpacked.data());
      zlib.avail_out = static_cast<uInt>(unpacked.size());
      state = inflate(&zlib, Z_NO_FLUSH);
      if (state == Z_STREAM_END) {
        after = offset - zlib.avail_in;
        state = inflateReset(&zlib);
      }
    }
  }
  inflateEnd(&zlib);
  if (error != 0) return fail_errno("read " + path, error);
  return after;
}

}  // namespace leat::file
