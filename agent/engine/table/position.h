// How far a table has been read, as it is saved: JSON that people can look at.
//
// A table is read in passes. Each is one walk upwards through the rows that it is about, by the
// cursor; what it is about is said by `full`, `low` and `high`. `after` is the place in that walk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::table {

using Key = std::vector<std::string>;  // a value for each cursor column, as the database writes it

struct TablePosition {
  std::vector<std::string> cursor;  // of which columns `after` has the values
  Key after;                        // the last row; empty: none of this pass
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

}  // namespace leat::table
