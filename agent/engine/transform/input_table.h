// The batch as SQLite's virtual table: one row per record, one column per field that a statement
// names. Nothing is copied or converted before a statement touches it.
//
// Column names are case-insensitive in SQL: a column takes the field of exactly its name, else the
// first whose name differs only in the case of ASCII letters.
//
// Thread: the pipeline's loop thread. Lifetime: outlives the connection it is attached to; the
// batch must live until the statement is reset.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "record/batch.h"
#include "record/shape_cache.h"
#include "transform/row_groups.h"

namespace leat {

// Index of the field that a column named `name` shows, or -1.
int find_field(const Shape& shape, std::string_view name);

// "name" as an SQL identifier.
std::string quoted_identifier(std::string_view name);

class InputTable {
 public:
  // The event time, as an integer of microseconds since the Unix epoch.
  static constexpr std::string_view kEventTimeColumn = "_time";
  // While probing, the table has this column too. No statement names it: where it is read all the
  // same, there is a `*`.
  static constexpr std::string_view kStarColumn = "*";
  static constexpr size_t kMaxColumns = 1000;

  // `sorts`: rows are given in the order that a statement asks for (GROUP BY, DISTINCT, ORDER BY),
  // not in that of the batch.
  InputTable(std::string name, bool sorts);

  const std::string& name() const { return name_; }

  // Declares the table, with the columns of now, to `db`, in place of an earlier declaration.
  // Statements prepared before must be finalized first: they know the old columns by number.
  // Returns an SQLite code.
  int attach(sqlite3* db);

  void probe_for_star(bool probe) { probing_ = probe; }
  // Its number, or -1.
  int find_column(std::string_view name) const;
  bool has_column(std::string_view name) const { return find_column(name) >= 0; }
  // A column that `*` does not show, unless and until a record has the field.
  void add_hidden_column(std::string_view name);
  // Has `*` show the column added last, records or not. False when it did so already.
  bool show_last_column();
  void remove_last_column();
  // Has `*` show every field of the batch's records from now on. True when that is news, and the
  // table must be attached again. Names with a NUL in them cannot be named in SQL and are left out.
  bool show_fields_of(const Batch& batch);
  size_t column_count() const { return columns_.size(); }
  // Columns named by a statement that no record has had so far.
  std::vector<std::string> unseen_columns() const;

  // The rows of the next statement run: the records of `batch` in [from, to).
  void show(const Batch& batch, size_t from, size_t to);
  // The batch is gone: the table is empty.
  void hide();
  // The record that the cursor opened last stands on. After the run it is the one where it ended.
  size_t row() const { return static_cast<size_t>(at_ - rows_); }

  // Types of the values that statements have read of a column since show(), as bits.
  static constexpr uint32_t type_bit(Type type) { return 1U << static_cast<unsigned>(type); }
  uint32_t types_read(size_t column) const { return types_read_[column]; }
  // The column a result column of `statement` shows unchanged, or -1 when it is computed.
  static int plain_column(sqlite3_stmt* statement, int result_column);
  // Bytes that are remembered of the shapes seen.
  size_t held() const { return field_maps_.held() + shown_shapes_.held(); }
  const std::string& column_name(size_t column) const { return columns_[column].name; }

 private:
  struct Column {
    std::string name;
    bool shown = false;      // part of `*`
    bool seen = false;       // some record has had the field
    bool requested = false;  // a statement names it
    bool in_order = false;   // stands where `*` is to show it
  };
  struct Link;    // sqlite3_vtab
  struct Cursor;  // sqlite3_vtab_cursor
  struct Sorted;
  // Per column: the index of the field, or one of these.
  using FieldMap = std::vector<int32_t>;
  static constexpr int32_t kNoField = -1;
  static constexpr int32_t kEventTime = -2;

  void add_column(Column column);
  void remove_column(size_t number);
  FieldMap map_fields(const Shape& shape);
  const int32_t* fields_of(const Shape* shape);
  std::string declaration() const;
  Sorted& sorted_by(std::string_view columns);

  static const sqlite3_module kModule;
  static int connect(sqlite3* db, void* self, int argc, const char* const* argv,
                     sqlite3_vtab** link, char** error);
  static int disconnect(sqlite3_vtab* link);
  static int best_index(sqlite3_vtab* link, sqlite3_index_info* info);
  static int open(sqlite3_vtab* link, sqlite3_vtab_cursor** cursor);
  static int close(sqlite3_vtab_cursor* cursor);
  static int filter(sqlite3_vtab_cursor* cursor, int number, const char* text, int argc,
                    sqlite3_value** argv);
  static int next(sqlite3_vtab_cursor* cursor);
  static int eof(sqlite3_vtab_cursor* cursor);
  static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int index);
  static int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* id);

  const std::string name_;
  const bool sorts_;
  bool probing_ = false;
  std::vector<Column> columns_;
  std::unordered_map<std::string, size_t> numbers_;  // of the columns, by name in lower case
  std::vector<uint32_t> types_read_;
  ShapeCache<FieldMap> field_maps_;
  ShapeCache<bool> shown_shapes_;  // all their fields are columns

  const Batch* batch_ = nullptr;
  const Record* rows_ = nullptr;  // the batch's first record
  const Record* from_ = nullptr;
  const Record* to_ = nullptr;
  const Record* at_ = nullptr;
  std::string scratch_;

  struct Sorted {
    explicit Sorted(std::vector<bool> descending) : groups(std::move(descending)) {}
    uint32_t row(size_t position);  // its number, of one of the rows of now
    void forget() {
      filled = false;
      order = nullptr;
    }

    std::vector<size_t> columns;
    RowGroups groups;
    bool filled = false;              // with the rows of now
    const uint32_t* order = nullptr;  // null: not yet worked out
  };
  // By what best_index() told filter(): as many as the statement has such scans.
  std::map<std::string, Sorted, std::less<>> sorted_;
};

}  // namespace leat
