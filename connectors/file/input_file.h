// One open file: what tells it from others, and its bytes, inflated when it is gzip.
//
// Thread: one at a time (a pool thread, or the loop while no such call is under way); read_at() and
// hash_before() from several at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/fnv.h"
#include "base/result.h"

namespace leat {

// A file while the machine is up; the number of a device need not be the same after that.
struct FileKey {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const FileKey&) const = default;
};

struct FileInfo {
  FileKey key;
  uint64_t size = 0;
  uint64_t birth_us = 0;  // Unix time, microseconds; 0 where the file system does not tell
  uint32_t links = 0;     // names that it has; 0 when it is deleted
  uint32_t mode = 0;      // as in struct stat
};
// The file at `path`, or with `follow_link` false the symbolic link there. Else an errno value.
int look_at(const std::string& path, FileInfo& out, bool follow_link = true);

// A number of the file system that `path` is on, the same after a restart; 0 when there is none.
uint64_t file_system_of(const std::string& path);

// What tells a file from another of the same name, or from a later one with the same inode number:
// the inode, when it was made, and a hash of its first bytes. (Names change when logs are rotated,
// and inode numbers are used again as soon as a file is deleted.)
struct FileIdentity {
  uint64_t inode = 0;
  uint32_t head_bytes = 0;  // how many bytes were hashed: all there were, up to kMostHead
  uint64_t head_hash = 0;
  uint64_t birth_us = 0;  // 0: not known

  static constexpr uint32_t kMostHead = 256;
  bool operator==(const FileIdentity&) const = default;
  // "1234:256:89abcdef01234567:63f2a1b2c3d4e" (the last: when it was made, in hex; absent when not
  // known, as in what older versions wrote)
  std::string text() const;
  static bool parse(const std::string& text, FileIdentity& out);
};

enum class Compression { kAuto, kNone, kGzip };

class InputFile {
 public:
  // `error_number`, when given, is set to the errno value of a failure that has one.
  static Result<std::shared_ptr<InputFile>> open(const std::string& path, Compression compression,
                                                 int* error_number = nullptr);
  // True when it failed for want of descriptors or memory, which passes.
  static bool is_shortage(int error_number);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  bool gzip() const { return inflater_ != nullptr; }
  const std::string& path() const { return path_; }  // under which it was opened
  int descriptor() const { return fd_; }

  struct Read {
    size_t bytes = 0;  // fewer than asked for, without an error: nothing more is there now
    Status status;
  };
  // Plain files: fills `buffer` from `offset` on.
  Read read_at(uint64_t offset, char* buffer, size_t size) const;
  // Gzip: goes on where the last call ended. A file that ends in the middle is an error.
  Read read(char* buffer, size_t size);
  // Gzip: how far read() has come, in the inflated content.
  uint64_t offset() const { return offset_; }
  // Gzip: bytes consumed of the file itself, for the progress display.
  uint64_t file_offset() const { return file_offset_; }
  // Gzip: makes read() go on at `offset`, which must not lie before offset().
  Status skip_to(uint64_t offset);

  Result<FileInfo> info() const;
  // The identity by at most `head_bytes` first bytes, which may be fewer than asked when the file
  // is shorter.
  FileIdentity identity(uint32_t head_bytes = FileIdentity::kMostHead) const;
  // Hash of the bytes of the file just before `offset`, at most kBefore; 0 for gzip files, and when
  // they are not there.
  uint64_t hash_before(uint64_t offset) const;
  static constexpr size_t kBefore = 64;
  uint64_t file_system() const;  // as file_system_of()
  // The folder that it lies in now, whatever links led to it and wherever they lead since; ""
  // when the kernel does not tell.
  std::string folder() const;
  // A file that was empty when it was opened may have become a compressed one.
  void look_for_gzip();

 private:
  struct Inflater;
  InputFile(int fd, std::string path, Compression compression);
  Status start_inflating();

  const int fd_;
  const std::string path_;
  const Compression compression_;
  uint64_t offset_ = 0;
  uint64_t file_offset_ = 0;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace leat

template <>
struct std::hash<leat::FileKey> {
  size_t operator()(const leat::FileKey& key) const {
    return static_cast<size_t>(key.inode * 0x9e3779b97f4a7c15 ^ key.device);
  }
};
