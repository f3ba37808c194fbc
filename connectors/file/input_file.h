// One open file that is read from front to back, inflated when it is gzip.
//
// Thread: read() and skip_to() run on a pool thread, one call at a time; everything else on the
// loop while no such call is under way.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace leat {

// What tells a file from another of the same name, or from a later one with the same inode number:
// the inode and a hash of its first bytes. (Names change when logs are rotated, and inode numbers
// are reused as soon as a file is deleted.)
struct FileIdentity {
  uint64_t inode = 0;
  uint32_t head_bytes = 0;  // how many bytes were hashed: all there were, up to kMostHead
  uint64_t head_hash = 0;   // FNV-1a

  static constexpr uint32_t kMostHead = 256;
  bool operator==(const FileIdentity&) const = default;
  std::string text() const;  // "1234:256:89abcdef01234567"
  static bool parse(const std::string& text, FileIdentity& out);
};

enum class Compression { kAuto, kNone, kGzip };

class InputFile {
 public:
  static Result<std::shared_ptr<InputFile>> open(const std::string& path, Compression compression);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  bool gzip() const { return inflater_ != nullptr; }
  // Bytes given so far (of the inflated content), which is where read() goes on.
  uint64_t offset() const { return offset_; }
  // Bytes consumed of the file itself, for the progress display.
  uint64_t file_offset() const { return file_offset_; }

  struct Read {
    size_t bytes = 0;  // 0 without an error: nothing more is there now
    Status status;
  };
  // Fills at most `size` bytes. A gzip file that ends in the middle is an error.
  Read read(char* buffer, size_t size);
  // Makes read() go on at `offset` (of the inflated content; from its start, for gzip).
  Status skip_to(uint64_t offset);

  Result<struct stat> status() const;
  // The identity by at most `head_bytes` first bytes, which may be fewer than asked when the file
  // is shorter.
  FileIdentity identity(uint32_t head_bytes = FileIdentity::kMostHead) const;
  // Hash of the (at most 64) bytes of the file just before `offset`; 0 for gzip files.
  uint64_t hash_before(uint64_t offset) const;

 private:
  struct Inflater;
  InputFile(int fd, std::string path);
  Read read_plain(char* buffer, size_t size);
  Read read_gzip(char* buffer, size_t size);

  int fd_;
  std::string path_;
  uint64_t offset_ = 0;
  uint64_t file_offset_ = 0;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace leat
