#include "transform/input_table.h"

#include <algorithm>
#include <charconv>

#include "base/in_quotes.h"
#include "base/text.h"
#include "transform/sql_value.h"

namespace leat {
namespace {

// A declared type that SQLite takes for "no affinity" (it contains BLOB), and that comes back from
// sqlite3_column_decltype() for results that are a column and nothing else.
constexpr std::string_view kDeclaredType = "BLOB";

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
}

std::string lower_case(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

int find_field(const Shape& shape, std::string_view name) {
  int exact = shape.find(name);
  if (exact >= 0) return exact;
  for (size_t i = 0; i < shape.size(); ++i)
    if (same_name(shape.name(i), name)) return static_cast<int>(i);
  return -1;
}

std::string quoted_identifier(std::string_view name) {
  return in_quotes(name, '"');
}

struct InputTable::Link : sqlite3_vtab {
  InputTable* table;
};

struct InputTable::Cursor : sqlite3_vtab_cursor {
  InputTable* table;
  const Record* at;
  const Record* end;
  const Shape* shape;
  const int32_t* fields;  // of `shape`
  Sorted* sorted;         // null: the rows come as in the batch
  size_t position;        // in the order of `sorted`
};

const sqlite3_module InputTable::kModule = [] {
  sqlite3_module module{};
  module.iVersion = 1;
  module.xConnect = connect;  // and no xCreate: the table is there without CREATE
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

InputTable::InputTable(std::string name, bool sorts) : name_(std::move(name)), sorts_(sorts) {
  add_column({.name = std::string(kEventTimeColumn), .shown = true, .in_order = true});
  // SQLite's own names for the row number. A field may well be called "oid".
  for (const char* reserved : {"rowid", "oid", "_rowid_"}) add_column({.name = reserved});
}

int InputTable::attach(sqlite3* db) {
  field_maps_.clear();
  sorted_.clear();
  types_read_.assign(columns_.size(), 0);
  int code = sqlite3_create_module_v2(db, name_.c_str(), &kModule, this, nullptr);
  if (code != SQLITE_OK) return code;
  // Naming it connects it.
  std::string query = "SELECT 1 FROM " + quoted_identifier(name_);
  sqlite3_stmt* statement = nullptr;
  code = sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr);
  sqlite3_finalize(statement);
  return code;
}

int InputTable::find_column(std::string_view name) const {
  auto found = numbers_.find(lower_case(name));
  return found == numbers_.end() ? -1 : static_cast<int>(found->second);
}

void InputTable::add_column(Column column) {
  numbers_.emplace(lower_case(column.name), columns_.size());
  columns_.push_back(std::move(column));
}

void InputTable::remove_column(size_t number) {
  numbers_.erase(lower_case(columns_[number].name));
  columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(number));
  for (auto& [name, at] : numbers_)
    if (at > number) --at;
}

void InputTable::add_hidden_column(std::string_view name) {
  add_column({.name = std::string(name), .requested = true});
}

bool InputTable::show_last_column() {
  return !std::exchange(columns_.back().shown, true);
}

void InputTable::remove_last_column() {
  remove_column(columns_.size() - 1);
}

bool InputTable::show_fields_of(const Batch& batch) {
  bool changed = false;
  auto show_all = [this, &changed](const Shape& shape) {
    for (size_t i = 0; i < shape.size(); ++i) {
      std::string_view name = shape.name(i);
      if (name.find('\0') != std::string_view::npos) continue;
      int known = find_column(name);
      if (known >= 0 && columns_[static_cast<size_t>(known)].in_order) continue;
      // What a statement named before any record did moves to the end, so that `*` shows fields in
      // their order, and takes the record's spelling.
      if (known >= 0) remove_column(static_cast<size_t>(known));
      add_column({.name = std::string(name), .shown = true, .seen = true, .in_order = true});
      changed = true;
    }
    return true;
  };
  const Shape* last = nullptr;
  for (const Record& record : batch.records) {
    if (record.shape != last) shown_shapes_.get(batch, last = record.shape, show_all);
  }
  shown_shapes_.trim(batch);
  return changed;
}

std::vector<std::string> InputTable::unseen_columns() const {
  std::vector<std::string> names;
  for (const Column& column : columns_)
    if (column.requested && !column.seen) names.push_back(column.name);
  return names;
}

void InputTable::show(const Batch& batch, size_t from, size_t to) {
  batch_ = &batch;
  rows_ = batch.records.data();
  from_ = at_ = rows_ + from;
  to_ = rows_ + to;
  std::fill(types_read_.begin(), types_read_.end(), 0);
  for (auto& [columns, sorted] : sorted_) sorted.forget();
}

void InputTable::hide() {
  if (batch_ != nullptr) field_maps_.trim(*batch_);
  batch_ = nullptr;
  rows_ = from_ = to_ = at_ = nullptr;
  for (auto& [columns, sorted] : sorted_) sorted.forget();
}

int InputTable::plain_column(sqlite3_stmt* statement, int result_column) {
  const char* declared = sqlite3_column_decltype(statement, result_column);
  std::string_view type = declared == nullptr ? "" : declared;
  if (!type.starts_with(kDeclaredType)) return -1;
  type.remove_prefix(kDeclaredType.size());
  int column = -1;
  std::from_chars(type.data(), type.data() + type.size(), column);
  return column;
}

InputTable::FieldMap InputTable::map_fields(const Shape& shape) {
  FieldMap map(columns_.size(), kNoField);
  map[0] = kEventTime;
  for (size_t i = 1; i < columns_.size(); ++i) {
    map[i] = find_field(shape, columns_[i].name);
    if (map[i] >= 0) columns_[i].seen = true;
  }
  return map;
}

const int32_t* InputTable::fields_of(const Shape* shape) {
  auto make = [this](const Shape& unknown) { return map_fields(unknown); };
  return field_maps_.get(*batch_, shape, make).data();
}

std::string InputTable::declaration() const {
  std::string sql = "CREATE TABLE input(";
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) sql += ',';
    sql += quoted_identifier(columns_[i].name) + " " + std::string(kDeclaredType) +
           std::to_string(i) + (columns_[i].shown ? "" : " HIDDEN");
  }
  if (probing_) sql += "," + quoted_identifier(kStarColumn);
  return sql + ")";
}

int InputTable::connect(sqlite3* db, void* self, int, const char* const*, sqlite3_vtab** link,
                        char** error) {
  auto* table = static_cast<InputTable*>(self);
  int code = sqlite3_declare_vtab(db, table->declaration().c_str());
  if (code != SQLITE_OK) {
    *error = sqlite3_mprintf("%s", sqlite3_errmsg(db));
    return code;
  }
  auto* made = new Link{};
  made->table = table;
  *link = made;
  return SQLITE_OK;
}

int InputTable::disconnect(sqlite3_vtab* link) {
  delete static_cast<Link*>(link);
  return SQLITE_OK;
}

int InputTable::best_index(sqlite3_vtab* link, sqlite3_index_info* info) {
  // Always a full scan. The guess at its length makes SQLite build an index over a materialized
  // subquery that is joined.
  constexpr int kTypicalRecords = 5000;
  info->estimatedCost = kTypicalRecords;
  info->estimatedRows = kTypicalRecords;
  if (!static_cast<Link*>(link)->table->sorts_ || info->nOrderBy == 0) return SQLITE_OK;
  std::string columns;  // "5 7- ": ascending by column 5, descending by 7
  for (int i = 0; i < info->nOrderBy; ++i)
    columns += std::to_string(info->aOrderBy[i].iColumn) + (info->aOrderBy[i].desc ? "- " : " ");
  info->idxStr = sqlite3_mprintf("%s", columns.c_str());
  if (info->idxStr == nullptr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->orderByConsumed = 1;
  return SQLITE_OK;
}

InputTable::Sorted& InputTable::sorted_by(std::string_view columns) {
  auto found = sorted_.find(columns);
  if (found == sorted_.end()) {
    std::vector<size_t> numbers;
    std::vector<bool> descending;
    for (const char* p = columns.data(); p < columns.data() + columns.size();) {
      p = std::from_chars(p, columns.data() + columns.size(), numbers.emplace_back()).ptr;
      descending.push_back(*p == '-');
      p += descending.back() ? 2 : 1;
    }
    found = sorted_.emplace(std::string(columns), Sorted(std::move(descending))).first;
    found->second.columns = std::move(numbers);
  }
  Sorted& sorted = found->second;
  if (std::exchange(sorted.filled, true)) return sorted;
  sorted.groups.start(static_cast<size_t>(to_ - from_));
  for (const Record* row = from_; row != to_; ++row) {
    const int32_t* fields = fields_of(row->shape);
    for (size_t i = 0; i < sorted.columns.size(); ++i) {
      int32_t field = fields[sorted.columns[i]];
      sorted.groups.key(i, field >= 0            ? row->values[field]
                           : field == kEventTime ? Value::of_time(row->time_us)
                                                 : Value::absent());
    }
    sorted.groups.add_row();
  }
  return sorted;
}

// The first row is found without sorting: max() asks for no other, and SQLite asks for its rows as
// it does for those of ORDER BY.
uint32_t InputTable::Sorted::row(size_t position) {
  if (order == nullptr && position == 0) return groups.first_row();
  if (order == nullptr) order = groups.finish().data();
  return order[position];
}

int InputTable::open(sqlite3_vtab* link, sqlite3_vtab_cursor** cursor) {
  auto* opened = new Cursor{};
  opened->table = static_cast<Link*>(link)->table;
  *cursor = opened;
  return SQLITE_OK;
}

int InputTable::close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int InputTable::filter(sqlite3_vtab_cursor* base, int, const char* columns, int, sqlite3_value**) {
  auto* cursor = static_cast<Cursor*>(base);
  InputTable& table = *cursor->table;
  cursor->at = cursor->end = table.at_ = table.to_;
  if (table.from_ == table.to_) return SQLITE_OK;
  cursor->sorted = columns == nullptr ? nullptr : &table.sorted_by(columns);
  cursor->position = 0;
  cursor->at = table.at_ = table.from_ + (cursor->sorted == nullptr ? 0 : cursor->sorted->row(0));
  cursor->fields = table.fields_of(cursor->shape = cursor->at->shape);
  return SQLITE_OK;
}

int InputTable::next(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<Cursor*>(base);
  InputTable& table = *cursor->table;
  if (cursor->sorted == nullptr) {
    ++cursor->at;
  } else {
    bool more = ++cursor->position < static_cast<size_t>(table.to_ - table.from_);
    cursor->at = more ? table.from_ + cursor->sorted->row(cursor->position) : cursor->end;
  }
  const Record* at = table.at_ = cursor->at;
  if (at != cursor->end && at->shape != cursor->shape)
    cursor->fields = table.fields_of(cursor->shape = at->shape);
  return SQLITE_OK;
}

int InputTable::eof(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<Cursor*>(base);
  return cursor->at == cursor->end ? 1 : 0;
}

int InputTable::column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  auto* cursor = static_cast<Cursor*>(base);
  InputTable& table = *cursor->table;
  int32_t field = cursor->fields[index];
  if (field >= 0) {
    const Value& value = cursor->at->values[field];
    table.types_read_[static_cast<size_t>(index)] |= type_bit(value.type);
    if (const char* problem = set_result(context, value, table.scratch_))
      sqlite3_result_error(
          context,
          ("field " + excerpt(table.columns_[static_cast<size_t>(index)].name) + ": " + problem)
              .c_str(),
          -1);
  } else if (field == kEventTime) {
    table.types_read_[static_cast<size_t>(index)] |= type_bit(Type::kTime);
    sqlite3_result_int64(context, cursor->at->time_us);
  }
  return SQLITE_OK;
}

int InputTable::rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id) {
  auto* cursor = static_cast<Cursor*>(base);
  *id = cursor->at - cursor->table->rows_;
  return SQLITE_OK;
}

}  // namespace leat
