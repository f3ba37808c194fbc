// The file that is being written: `<path>.part`, which gets its own name when it is finished.
//
// After a kill or a power cut the file is taken up again, and what follows the last commit is cut
// off. How long it was then is kept in the extended attribute "user.leat.whole" ("<bytes>
// <begun, µs since the epoch>"), which costs no write of its own: the fsync of the data covers it.
// It never lags behind what was committed, so cutting there loses nothing. On a file system without
// extended attributes (FAT) the file is cut behind its last whole record instead.
//
// Thread: one at a time. It blocks.
// After a failure: the file is as it was at the last commit; when that cannot be restored it is
// closed, and restored by the next open(). So it is when somebody has removed or renamed the file:
// nothing is committed on the strength of one that nobody would find, and the next open() makes a
// new one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "stage/format.h"
#include "stage/slice_cursor.h"

namespace leat::file {

using WholePart = decltype(WriteFormat::whole_part);

class PartFile {
 public:
  // `record_end`: for file systems that cannot keep attributes. `sync`: commit() makes what it
  // commits survive a power cut. `gzip`: each append() is packed as a member (gzip_member.h).
  PartFile(std::string path, RecordEnd record_end, WholePart whole_part, bool sync, bool gzip);
  ~PartFile() { close(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  // Opens or creates the file and cuts it back to its last commit. One process at a time has it
  // open. With `must_exist`, a file that is not there is not made, and is_open() stays false.
  Status open(int64_t now_unix_us, bool must_exist = false);
  bool is_open() const { return fd_ >= 0; }

  // Committed bytes, with the opening.
  uint64_t size() const { return committed_; }
  int64_t begun_unix_us() const { return begun_unix_us_; }
  Result<bool> starts_with(std::string_view opening) const;

  // Appends the opening when the file is empty, and the next `bytes` bytes of the cursor, which
  // moves. Nothing of it counts before commit().
  Status append(std::string_view opening, SliceCursor& cursor, uint64_t bytes);
  Status commit();
  // Takes back what was appended since the last commit.
  void roll_back();

  // Makes it durable and renames it to `final_path`, or removes it when it is empty. Closed then.
  Status finish(const std::string& final_path);
  void close();

  const std::string& part_path() const { return part_path_; }

 private:
  Status prepare(int64_t now_unix_us);
  bool has_its_name() const;
  Status gone();
  Status recover(uint64_t size);
  Result<uint64_t> whole_records(uint64_t size) const;
  Result<uint64_t> after_last_newline(uint64_t size) const;
  Result<uint64_t> after_last_csv_row(uint64_t size) const;
  Status append_packed(std::string_view opening, SliceCursor& cursor, uint64_t bytes);
  Status write_all(iovec* pieces, size_t count);
  Status mark(uint64_t whole);
  tl::unexpected<Error> error(const char* what, int error_number) const;

  const std::string path_;
  const std::string part_path_;
  const RecordEnd record_end_;
  const WholePart whole_part_;
  const bool sync_;
  const bool gzip_;

  int fd_ = -1;
  uint64_t written_ = 0;    // end of what was appended
  uint64_t committed_ = 0;  // of this, what counts
  uint64_t synced_ = 0;     // of this, what is known to be on the disk
  int64_t begun_unix_us_ = 0;
  bool marked_ = false;  // the attribute is there, so it must be kept true
};

}  // namespace leat::file
