// The rows that `lookup` finds by a key: values under column names, in memory of its own.
//
// Thread: whoever makes it; once it is made, any. Values that find() gives point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/value.h"

namespace leat {

class LookupTable {
 public:
  LookupTable(std::vector<std::string> columns, size_t max_bytes)
      : columns_(std::move(columns)), max_bytes_(max_bytes) {}
  LookupTable(const LookupTable&) = delete;
  LookupTable& operator=(const LookupTable&) = delete;

  const std::vector<std::string>& columns() const { return columns_; }
  // One value for each column; all is copied. Of several with the same key the last counts. Fails
  // with kUsage when it takes more than `max_bytes`.
  Status add(std::string_view key, std::span<const Value> row);
  // A value for each column; null when there is no such row.
  const Value* find(std::string_view key) const;

  size_t rows() const { return rows_; }
  size_t bytes() const { return bytes_; }

 private:
  // The key's text, and behind it, aligned, the values: what a look-up reads lies together.
  struct Slot {
    const char* row = nullptr;
    uint32_t hash = 0;
    uint32_t key_size = 0;
  };
  static constexpr size_t kPiece = 64 * 1024;

  static const Value* values_of(const Slot& slot);
  char* take(size_t bytes);
  bool grow();
  // Where the key is, or would be. Not while there are no slots.
  size_t place_of(std::string_view key, uint32_t hash) const;

  const std::vector<std::string> columns_;
  const size_t max_bytes_;
  std::vector<std::unique_ptr<char[]>> pieces_;
  char* next_ = nullptr;
  size_t room_ = 0;
  std::vector<Slot> slots_;  // open addressing; a power of two, at most half full
  size_t rows_ = 0;
  size_t bytes_ = 0;
};

}  // namespace leat
