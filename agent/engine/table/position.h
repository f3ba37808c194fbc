// How far a table has been read, as it is saved: JSON that people can look at.
//
// A table is read in passes. Each is one walk upwards through the rows that it is about, by the
// cursor; what it is about is said by `full`, `low` and `high`. `after` is the place in that walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::table {

using Key = std::vector<std::string>;  // a value for each cursor column, as the database writes it

struct TablePosition {
  std::vector<std::string> cursor;  // of which columns `after` has the values
  Key after;                        // the last row; empty: none of this pass
  Key upto;                         // of a range of the table: its last key; empty: no bound
  std::string floor;                // of the first cursor column: only rows above it; "": no bound
  // The first read of the whole table, not of what is new.
  bool full = false;
  bool done = false;  // of a full read without a cursor

  // Where the database numbers its transactions, and says which are finished: the rows of those in
  // [low, high); in a full read, all but those of [high, …). 0: not known (yet).
  uint64_t low = 0;
  uint64_t high = 0;
  // By the database's clock: a moment at which the transaction `low` (`high`) had no number yet;
  // "": not known.
  std::string since;
  std::string next_since;
  // Whose numbers these are: of a copy of the database they mean something else.
  std::string system;

  std::string json() const;
  // Errors are kFatal.
  static Result<TablePosition> parse(const std::string& json);
};

// How a table is divided into ranges, as it is saved: once, for all runs that read it.
struct Division {
  std::vector<std::string> cursor;
  std::vector<Key> bounds;  // each the last key of a range; the last range has none

  size_t ranges() const { return bounds.size() + 1; }

  std::string json() const;
  // Errors are kFatal.
  static Result<Division> parse(const std::string& json);
};

// A range of it; or, without one, the whole table.
struct Part {
  std::shared_ptr<const Division> division;
  size_t number = 0;  // from 1

  // The last key before it, and its own last; empty: no bound.
  const Key& above() const { return bound(number - 1); }
  const Key& upto() const { return bound(number); }
  // What people and positions call it: "orders", "orders, 2 of 4".
  std::string label(const std::string& table) const;
  static std::string label(const std::string& table, size_t number, size_t of);

 private:
  const Key& bound(size_t after) const;
};

}  // namespace leat::table
