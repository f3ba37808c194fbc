// The rows of a batch in the order of some columns, for GROUP BY, DISTINCT and ORDER BY.
//
// SQLite would sort all rows for that, and make a record of its own of each. A batch has few
// groups, so finding the group of each row in a hash table and sorting only the groups is some
// three times faster; where each row is a group of its own (ORDER BY) it is as much faster, since
// nothing is copied.
//
// Values compare as in SQLite (datatype3.html, section 4.1, collation BINARY): NULL, numbers by
// their value whatever their type, text, blobs.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "record/value.h"

namespace leat {

// A value as SQLite sees it.
struct SortKey {
  enum class Kind : uint8_t { kNull, kInteger, kReal, kText, kBlob };
  Kind kind = Kind::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;

  // Negative, 0, positive.
  int compare(const SortKey& other) const;
  uint64_t hash() const;
};

class RowGroups {
 public:
  // `descending` says so for each column of the key.
  explicit RowGroups(std::vector<bool> descending) : descending_(std::move(descending)) {}

  // Forgets all rows; `rows` is how many add_row() calls will follow.
  void start(size_t rows);
  // For the next row: key(column, value) for each column, then add_row().
  void key(size_t column, const Value& value);
  void add_row();
  // The number of the row that comes first, of those added (at least one), without sorting them.
  uint32_t first_row() const;
  // The numbers of the rows, equal keys together and in their original order.
  const std::vector<uint32_t>& finish();

 private:
  bool same_as_group(uint32_t group) const;
  bool comes_before(uint32_t group, uint32_t other) const;
  uint32_t group_of_row();

  const std::vector<bool> descending_;
  std::vector<SortKey> row_;           // the row at hand
  std::vector<SortKey> keys_;          // of the groups, one after another
  std::vector<uint64_t> hashes_;       // of the groups
  std::vector<uint32_t> slots_;        // hash table of groups + 1; 0 is free
  std::vector<uint32_t> group_of_;     // per row
  std::vector<uint32_t> order_;        // result
  std::deque<std::string> unescaped_;  // texts that are not in the batch
};

}  // namespace leat
