// Which column of a CSV row becomes which field, and of what type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/csv/dialect.h"
#include "record/shape.h"

namespace leat {

struct CsvTarget {
  int32_t field = -1;  // index in the shape; -1: the column is left out
  bool infer = false;  // then `type` is kString, for what does not look like anything else
  Type type = Type::kString;
  const TimeFormat* time = nullptr;  // of the dialect, which outlives the table
};

struct CsvTable {
  ShapeRef shape;
  std::vector<CsvTarget> targets;  // by place in the row
  bool exact = false;              // a row with more fields than targets is wrong
  uint64_t adopted_batch = 0;      // number of the last batch that adopted the shape
};

// For rows under a header with these names. Empty names become "columnN" (N counted from 0), and a
// name that occurred before gets "_2", "_3" and so on, whichever no other column has. Columns of
// the dialect that the header lacks are described in `missing`, which is empty when all are there;
// their fields are absent.
std::unique_ptr<CsvTable> csv_table_for_header(const CsvDialect& dialect,
                                               std::vector<std::string> names,
                                               std::string& missing);

// Without header, from the dialect's columns.
std::unique_ptr<CsvTable> csv_table_for_columns(const CsvDialect& dialect);

// Without header, for rows of this many fields: column0, column1, …, but for the dialect's columns.
std::unique_ptr<CsvTable> csv_table_for_width(const CsvDialect& dialect, size_t width);

}  // namespace leat
