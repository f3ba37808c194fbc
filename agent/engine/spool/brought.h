// What is known of a record beside itself, for the dead letter that it may become: a spooled record
// keeps it, since whoever gave it has forgotten it by then.
//
// It stands behind the records of a row (journal/FORMAT.md) and stays packed: it is asked for when
// a record is rejected, which is rare.
//
// Thread: any. Pure: no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "spool/row_bytes.h"

namespace leat {

struct Brought {
  std::string metadata;  // Acknowledger::metadata_of()
  // Of what was a dead letter before, and is tried once more: which try this is, from 2 on. 1: of a
  // letter all the same, but another record of it has its name. 0: it was none.
  uint32_t attempt = 0;
  uint64_t letter = 0;  // its name
  bool was_dead() const { return attempt > 0; }
};

class BroughtWriter {
 public:
  // Of the next record.
  void add(const Brought& brought);
  // Of all of them; "" when none brought anything.
  std::string take();

 private:
  std::unordered_map<std::string, uint64_t> numbers_;  // those that are alike stand once
  RowWriter kinds_;
  RowWriter records_;
};

// Of record `index`, from 0. Nothing where it brought nothing, or `packed` is not of BroughtWriter.
Brought brought_of(std::string_view packed, uint64_t index);

}  // namespace leat
