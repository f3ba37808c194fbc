// Which field of a record goes into which column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/postgres/layout.h"
#include "record/batch.h"

namespace leat::postgres {

enum class WriteMode { kCopy, kInsert, kUpsert, kMerge };

struct MappingConfig {
  // Field → column, as the user wrote it. Empty: a field goes into the column of its name or, when
  // there is none, of its name in lower case, which is what SQL makes of a name without quotes.
  std::vector<std::pair<std::string, std::string>> columns;
  std::vector<std::string> key;  // columns
  WriteMode mode = WriteMode::kCopy;
  bool create = false;          // the table, and columns for fields that have none
  bool reject_unknown = false;  // records with fields that have no column
  bool by_position = false;     // whatever fields and columns are called; no other number of them
};

// For records of one shape: the index of the field of each column, -1 when it has none.
struct ShapePlan {
  ShapeRef shape;
  std::vector<int> field_of;
  std::vector<int> unknown;  // fields without a column
  bool fits = true;          // by position: as many fields as columns; else it has none
};

class Mapping {
 public:
  Mapping(const MappingConfig& config, const Layout& layout) : config_(config), layout_(layout) {}

  // What can be said before the first record. Errors are kFatal.
  Status check() const;
  // Valid until the next call. `batch` keeps the shape alive.
  const ShapePlan& plan(const Batch& batch, const Shape& shape);
  // Null, in a field that has no column: nothing is lost, and createTable makes none for it.
  bool may_leave_out(Type type) const { return config_.create && type == Type::kNull; }
  // Columns that some record of the shapes has a field for, ascending.
  void add_used(const Batch& batch, std::vector<bool>& used);

  // A name as PostgreSQL reads it: cut to 63 bytes, between characters.
  static std::string_view column_name(std::string_view field);
  // The field a column's values come from, for messages.
  static std::string_view field_name(const ShapePlan& plan, size_t column);

 private:
  ShapePlan make(const Batch& batch, const Shape& shape) const;
  void place(const Shape& shape, ShapePlan& plan) const;
  bool takes_values(const Column& column) const {
    return !column.generated || config_.mode == WriteMode::kMerge;
  }
  bool wanted(std::string_view field) const;
  int column_of(std::string_view field) const;
  Status check_key() const;
  static constexpr size_t kMostPlans = 32;

  const MappingConfig& config_;
  const Layout& layout_;
  std::vector<ShapePlan> plans_;  // the one used last is the first
};

}  // namespace leat::postgres
