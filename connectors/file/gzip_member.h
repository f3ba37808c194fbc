// A member of a gzip file. Several, one behind the other, are a gzip file again, of all that is in
// them; so what is appended as a member leaves the file whole, and can be cut off again.
//
// Thread: one at a time. While there is one it holds kGzipMemory.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::file {

inline constexpr size_t kGzipMemory = 272 * 1024;  // of zlib, with its largest window

class GzipMember {
 public:
  GzipMember();
  ~GzipMember();
  GzipMember(const GzipMember&) = delete;
  GzipMember& operator=(const GzipMember&) = delete;

  // False: there was no memory for it.
  bool ready() const { return ready_; }
  // Both append to `out` what has become of the input so far; behind end() that is all of it.
  void add(std::string_view bytes, std::string& out) { deflate_some(bytes, Z_NO_FLUSH, out); }
  void end(std::string& out) { deflate_some({}, Z_FINISH, out); }

 private:
  void deflate_some(std::string_view bytes, int flush, std::string& out);

  z_stream zlib_ = {};
  bool ready_ = false;
};

// Where the last whole member of a file ends. Fails as errno says.
Result<uint64_t> after_last_member(int fd, const std::string& path);

}  // namespace leat::file
