// The table records go to: created and widened when wanted, and one prepared statement for each
// shape of record.
//
// Thread: one at a time (the sink's job thread). Everything happens in a transaction that the
// caller has begun.
// After a failure: the caller rolls back, which may undo a CREATE or ALTER, so it calls forget().
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "client.h"
#include "columns.h"
#include "numbers.h"
#include "stage/sink.h"

namespace leat::sqlite {

class Table {
 public:
  struct Settings {
    std::string name;
    std::vector<std::string> key;  // empty: insert, otherwise upsert
    bool create = true;            // create the table, and columns for new fields
    std::string pipeline;          // for log lines
  };

  Table(Connection& connection, Settings settings)
      : connection_(connection), settings_(std::move(settings)) {}

  // Before the records of a delivery: learns what the table looks like now, or creates it.
  Status prepare(const Delivery& delivery);
  // kData: this record cannot be stored; the transaction goes on and others may be.
  Status write(const Delivery& delivery, const Batch& batch, const Record& record);
  // The last record was not written for what the table's own code does: Connection::store().
  bool stopped_by_code() const { return stopped_by_code_; }
  // Lets go of all statements and of what is known about the table.
  void forget();

 private:
  struct Column {
    std::string name;
    Affinity affinity;
    bool takes_bool;
    bool generated;
  };
  // For records of one shape in which the same fields are absent.
  struct Insert {
    ShapeRef shape;
    std::vector<bool> absent;        // of each field
    std::vector<bool> stored;        // of each field: it goes into a column
    std::vector<Affinity> affinity;  // of each field's column
    std::vector<bool> takes_bool;    // likewise
    std::vector<size_t> key_fields;
    Statement statement;

    bool fits(const Record& record) const;
  };

  Status look();
  Status create(const Delivery& delivery);
  Status add_columns(const Delivery& delivery, const Record& record);
  size_t lacking(const Record& record) const;
  const Column* find(std::string_view column) const;

  Result<Insert*> insert_for(const Delivery& delivery, const Batch& batch, const Record& record);
  Result<Insert> make_insert(const Delivery& delivery, const Batch& batch, const Record& record);
  Status match_fields(const Delivery& delivery, const Record& record, Insert& insert);
  void tell_generated(const std::string& column);
  Status find_key(const Record& record, Insert& insert) const;
  Status bind(Insert& insert, const Record& record);
  Result<int> bind_value(const Insert& insert, int parameter, const Value& value, size_t field);

  // Enough for the shapes of one stream. Records that all look different are slow, not unbounded.
  static constexpr size_t kMaxInserts = 32;

  Connection& connection_;
  const Settings settings_;
  Statement schema_version_query_;
  int64_t schema_version_ = -1;  // the columns below are those of this version; -1: of none
  std::vector<Column> columns_;  // empty: no such table
  ColumnIndex index_;            // of them
  std::vector<Insert> inserts_;  // the one used last is the first
  bool stopped_by_code_ = false;
  std::set<std::string> told_;        // generated columns that fields were meant for
  std::vector<std::string> scratch_;  // of each field: text made for binding, kept until step
  Numbers numbers_;
};

}  // namespace leat::sqlite
