#include "journal/wal_writer.h"

#include "base/big_endian.h"

namespace leat {

int WalWriter::write(const void* data, int size, sqlite3_int64 offset) {
  constexpr int kHeader = 24;  // of a frame
  constexpr size_t kGathered = size_t{32} << 10;
  const auto* bytes = static_cast<const char*>(data);
  const bool follows = offset == end_;
  const bool header = size == kHeader;
  // Behind the number of the page: the pages of the database after a transaction, or 0.
  if (header) last_frame_ = read_big_endian<uint32_t>(bytes + 4) != 0;
  end_ = offset + size;
  if (!follows || gathered_.size() + static_cast<size_t>(size) > kGathered)
    if (const int code = flush(); code != SQLITE_OK) return code;
  if (!follows) return methods_->xWrite(file_, data, size, offset);
  if (gathered_.empty()) start_ = offset;
  gathered_.append(bytes, static_cast<size_t>(size));
  return last_frame_ && !header ? flush() : SQLITE_OK;
}

int WalWriter::flush() {
  if (gathered_.empty()) return SQLITE_OK;
  const int code =
      methods_->xWrite(file_, gathered_.data(), static_cast<int>(gathered_.size()), start_);
  gathered_.clear();
  return code;
}

}  // namespace leat
