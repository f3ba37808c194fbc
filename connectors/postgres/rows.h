// The records of a delivery as rows of COPY data, or of INSERT statements.
//
// A run is a stretch of records that go into one COPY, with one list of columns. Nearly always it
// is the whole delivery. A field that some records lack ends a run only where it makes a
// difference: where the column has a default, or where an upsert must leave the column alone.
//
// Thread: the loop's thread. A Rows is used for one attempt at a delivery.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/postgres/binary_rows.h"
#include "connectors/postgres/field_text.h"
#include "connectors/postgres/mapping.h"
#include "connectors/postgres/row_text.h"
#include "protocols/postgres/copy_source.h"
#include "stage/sink.h"

namespace leat::postgres {

// What rows are made for: the table as it is now.
struct Target {
  const MappingConfig* config = nullptr;
  std::string table;  // quoted
  std::string merge_sql;
  Layout layout;
  Mapping* mapping = nullptr;

  // Rows go through the staging table.
  bool staged() const;
  // They have numbers there: an upsert needs them; mergeSql may, and says so by their name.
  bool numbered() const;
  // The table that COPY goes to, as errors' contexts name it.
  std::string relation_in_errors() const;
};

// Records that cannot be stored, all for one reason: one answer has room for one.
struct BadRecords {
  std::string reason;
  std::vector<uint32_t> indices;
};

class Rows final : public CopySource {
 public:
  // SQL of the caller's: `first` goes before the first COPY or INSERT, `after_copy` behind each
  // COPY, `last` behind all. Opens rows that cannot go as their source has them (binary_rows.h).
  Rows(const Target& target, FieldText& text, const Delivery& delivery, std::string first,
       std::string after_copy, std::string last);

  const Delivery& delivery() const { return delivery_; }

  // Column that must have a value, has no default, and no record has a field for; null: none.
  const Column* missing_column() const { return missing_; }
  // No field of any record has a column.
  bool empty() const { return empty_; }
  std::string no_columns() const;  // why a record is bad that has none

  // The SQL to begin with, for COPY: it asks for the data of the first run.
  std::string begin_copy();
  Piece next(Buffer& out) override;

  // The next INSERT statements, with `first` and `last` around the whole. False: nothing is left to
  // be sent, for all is sent or a record is bad.
  bool next_insert(std::string& sql);

  const BadRecords& bad() const { return bad_; }
  // The last statement was handed out: whether it was carried out may become a question.
  bool complete() const { return complete_; }
  // They go as their source has them; so if they are refused, that says nothing of a record.
  bool pass() const { return pass_ != nullptr; }
  bool begun() const { return begun_; }
  // The statement that failed, without any record: what fails with it, too, is no record's fault.
  std::string without_records() const;
  // The record that line `line` of the COPY after `copies` finished ones was made of; -1: none.
  int64_t record_at(size_t copies, uint64_t line) const;

 private:
  const Record& record() const;
  const Batch& batch() const;
  bool at_end() const { return part_ == delivery_.parts.size(); }
  void advance();

  void choose_columns();
  bool fit_as_they_are();
  Piece next_of_source(Buffer& out);
  bool distinguishes(size_t column) const;
  bool fits_run(const ShapePlan& plan, const Record& record) const;
  std::string run_sql();
  std::string end_of_run();

  bool nulls_matter() const;
  bool has_left_out(const ShapePlan& plan, const Record& record) const;
  bool takes_null(size_t column, Type type) const;
  // False: the record is bad, and what was appended is of no use.
  bool append_row(Buffer& out, const ShapePlan& plan, const Record& record);
  ConversionError append_value(Buffer& out, size_t column, const Value& value);
  bool spoil(std::string reason);  // false

  const Target& target_;
  FieldText& text_;
  const Delivery& delivery_;
  const std::string first_;
  const std::string after_copy_;
  const std::string last_;

  const BinaryRows* pass_ = nullptr;  // of rows that go as their source has them
  std::vector<bool> used_;            // of each column: a field of some record goes into it
  std::vector<bool> in_key_;          // of each column
  const Column* missing_ = nullptr;
  bool empty_ = false;
  const bool insert_;
  const RowFormat& format_;
  const bool numbered_;
  std::vector<int> run_;          // columns of this run
  std::vector<bool> in_run_;      // the same for each column
  std::vector<uint32_t> starts_;  // index of the first record of each run
  size_t part_ = 0;               // where we are
  uint32_t in_part_ = 0;
  uint32_t index_ = 0;
  bool begun_ = false;
  bool complete_ = false;
  BadRecords bad_;
};

// Fields with a value in some record that have no column, each once. A field that a transform has
// dropped is still in the records' shape.
std::vector<std::string> unknown_fields(Mapping& mapping, const Delivery& delivery);

}  // namespace leat::postgres
