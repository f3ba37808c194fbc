// Which row each offset of the stream stands behind, for as long as it may be asked: offsets count
// the rows that were given, and only their keys say where to go on. Keys are kept for each row,
// since a batch may be delivered in parts.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory/budget.h"
#include "table/position.h"

namespace leat::table {

// What is the same for all rows of a pass.
using Pass = std::shared_ptr<const TablePosition>;

class CursorLog {
 public:
  // `budget` outlives this.
  void charge_to(Budget& budget) { charge_ = Charge(budget); }

  // The next row, of this pass.
  void add(const Pass& pass, std::span<const std::string_view> key);
  // Rows that were added, since the start.
  uint64_t end() const { return end_; }
  // Nothing before it will be asked for again.
  void forget_before(uint64_t offset);
  // Behind row `offset` (counted from 1). nullopt: it is forgotten, or was not added.
  std::optional<TablePosition> position(uint64_t offset) const;

 private:
  // Of so many rows at most: what is forgotten goes as a whole.
  static constexpr size_t kRows = 256;
  struct Stretch {
    uint64_t first = 0;  // rows before it
    Pass pass;
    std::string keys;  // of each value its size, as 4 bytes, and its text
    std::vector<uint32_t> ends;

    size_t bytes() const {
      return sizeof(Stretch) + keys.capacity() + ends.capacity() * sizeof(uint32_t);
    }
  };

  std::deque<Stretch> stretches_;
  uint64_t end_ = 0;
  size_t bytes_ = 0;
  Charge charge_;
};

}  // namespace leat::table
