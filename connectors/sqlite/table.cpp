#include "table.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace leat::sqlite {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string_view text_of(sqlite3_stmt* statement, int column) {
  auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

}  // namespace

bool Table::Insert::fits(const Record& record) const {
  if (record.shape != shape.get()) return false;
  for (size_t i = 0; i < absent.size(); ++i)
    if ((record.value(i).type == Type::kAbsent) != absent[i]) return false;
  return true;
}

Status Table::prepare(const Delivery& delivery) {
  if (!schema_version_query_) {
    Result<Statement> query = connection_.prepare("PRAGMA schema_version");
    if (!query) return fail(query.error());
    schema_version_query_ = std::move(*query);
  }
  Result<bool> row = connection_.next_row(schema_version_query_.get());
  int64_t version = row ? sqlite3_column_int64(schema_version_query_.get(), 0) : -1;
  sqlite3_reset(schema_version_query_.get());
  if (!row) return fail(row.error());
  if (version != schema_version_) {
    inserts_.clear();
    if (Status looked = look(); !looked) return looked;
    schema_version_ = version;
  }
  if (!columns_.empty() || delivery.records == 0) return {};
  if (!settings_.create)
    return fail(ErrorKind::kFatal,
                "sqlite: no table " + quoted_name(settings_.name) + ", and createTable is false");
  return create(delivery);
}

void Table::forget() {
  schema_version_query_.reset();
  schema_version_ = -1;
  columns_.clear();
  index_.clear();
  inserts_.clear();
}

Status Table::look() {
  columns_.clear();
  index_.clear();
  Result<Statement> query = connection_.prepare(
      "SELECT name, type, hidden, (SELECT strict FROM pragma_table_list(?1) "
      "WHERE schema = 'main') FROM pragma_table_xinfo(?1)");
  if (!query) return fail(query.error());
  sqlite3_bind_text(query->get(), 1, settings_.name.data(), static_cast<int>(settings_.name.size()),
                    SQLITE_STATIC);
  while (true) {
    Result<bool> row = connection_.next_row(query->get());
    if (!row) return fail(row.error());
    if (!*row) return {};
    index_.add(text_of(query->get(), 0), columns_.size());
    const std::string_view type = text_of(query->get(), 1);
    const Affinity affinity = affinity_of(type, sqlite3_column_int(query->get(), 3) != 0);
    columns_.push_back({std::string(text_of(query->get(), 0)), affinity, takes_bool(type, affinity),
                        sqlite3_column_int(query->get(), 2) != 0});
  }
}

Status Table::create(const Delivery& delivery) {
  // Records that need more find out for themselves.
  std::vector<std::string> columns =
      columns_of(delivery, connection_.most_columns() - settings_.key.size());
  if (columns.empty()) return {};  // each record will say why
  for (const std::string& part : settings_.key) {
    bool present = std::any_of(columns.begin(), columns.end(), [&part](const std::string& column) {
      return same_column(column, part);
    });
    if (!present) columns.push_back(part);  // each record will say that it lacks the key
  }
  Status created = connection_.execute(create_table_sql(settings_.name, columns, settings_.key));
  if (!created) return created;
  return look();
}

// For all records of the delivery at once, but for those that ask for more than there is room for.
// kData: this is one of them, and the others may do without its columns.
Status Table::add_columns(const Delivery& delivery, const Record& record) {
  const size_t most = connection_.most_columns();
  const size_t room = most - std::min(most, columns_.size());
  if (lacking(record) > room)
    return fail(ErrorKind::kData, "the record has fields for which table " +
                                      quoted_name(settings_.name) + " would need more than " +
                                      std::to_string(most) + " columns: SQLite has no more");
  for (const std::string& column : columns_of(delivery, room, index_)) {
    Status added = connection_.execute(add_column_sql(settings_.name, column));
    if (!added && added.error().kind() == ErrorKind::kFatal)
      return fail(ErrorKind::kData, "field " + excerpt(column) +
                                        " cannot become a column: " + added.error().message());
    if (!added) return added;
  }
  schema_version_ = -1;
  return look();
}

// How many of its fields have no column.
size_t Table::lacking(const Record& record) const {
  size_t fields = 0;
  for (size_t i = 0; i < record.shape->size(); ++i) {
    std::string_view name = record.shape->name(i);
    if (record.value(i).type != Type::kAbsent && can_be_named(name) && find(name) == nullptr)
      ++fields;
  }
  return fields;
}

const Table::Column* Table::find(std::string_view column) const {
  const size_t at = index_.find(column);
  return at == ColumnIndex::kNone ? nullptr : &columns_[at];
}

Status Table::write(const Delivery& delivery, const Batch& batch, const Record& record) {
  stopped_by_code_ = false;
  Result<Insert*> insert = insert_for(delivery, batch, record);
  if (!insert) return fail(insert.error());
  if (Status bound = bind(**insert, record); !bound) return bound;
  return connection_.store((*insert)->statement.get(), stopped_by_code_);
}

Result<Table::Insert*> Table::insert_for(const Delivery& delivery, const Batch& batch,
                                         const Record& record) {
  if (!inserts_.empty() && inserts_.front().fits(record)) return &inserts_.front();
  auto found = std::find_if(inserts_.begin(), inserts_.end(),
                            [&record](const Insert& insert) { return insert.fits(record); });
  if (found == inserts_.end()) {
    Result<Insert> made = make_insert(delivery, batch, record);
    if (!made) return fail(made.error());
    if (inserts_.size() == kMaxInserts) inserts_.pop_back();
    inserts_.push_back(std::move(*made));
    found = inserts_.end() - 1;
  }
  std::rotate(inserts_.begin(), found, found + 1);
  return &inserts_.front();
}

Result<Table::Insert> Table::make_insert(const Delivery& delivery, const Batch& batch,
                                         const Record& record) {
  Insert insert;
  for (const ShapeRef& shape : batch.shapes())
    if (shape.get() == record.shape) insert.shape = shape;
  if (Status matched = match_fields(delivery, record, insert); !matched)
    return fail(matched.error());
  if (Status found = find_key(record, insert); !found) return fail(found.error());

  std::vector<std::string_view> names;
  for (size_t i = 0; i < record.shape->size(); ++i)
    if (insert.stored[i]) names.push_back(record.shape->name(i));
  Result<Statement> statement =
      connection_.prepare(insert_sql(settings_.name, names, settings_.key));
  if (!statement && !settings_.key.empty() &&
      statement.error().message().find("ON CONFLICT") != std::string::npos)
    return fail(ErrorKind::kFatal, "sqlite: table " + quoted_name(settings_.name) +
                                       " has no PRIMARY KEY or UNIQUE index over the key (" +
                                       list(settings_.key) + ")");
  if (!statement) return fail(statement.error());
  insert.statement = std::move(*statement);
  return insert;
}

// Finds the column of each field that is present; widens the table when it may.
Status Table::match_fields(const Delivery& delivery, const Record& record, Insert& insert) {
  const Shape& shape = *record.shape;
  insert.absent.assign(shape.size(), true);
  insert.stored.assign(shape.size(), false);
  insert.affinity.assign(shape.size(), Affinity::kNone);
  insert.takes_bool.assign(shape.size(), false);
  std::vector<const Column*> used;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (record.value(i).type == Type::kAbsent) continue;
    insert.absent[i] = false;
    std::string_view name = shape.name(i);
    if (!can_be_named(name))
      return fail(ErrorKind::kData, "field " + excerpt(name) + ": a column name cannot hold NUL");
    if (find(name) == nullptr && settings_.create) {
      if (Status added = add_columns(delivery, record); !added) return added;
      used.clear();  // it points into the columns, which were read anew
      for (size_t j = 0; j < i; ++j)
        if (insert.stored[j]) used.push_back(find(shape.name(j)));
    }
    const Column* column = find(name);
    std::string in_table = " of table " + quoted_name(settings_.name);
    if (column == nullptr)
      return fail(ErrorKind::kData, "field " + excerpt(name) + " has no column" + in_table);
    if (column->generated) {
      tell_generated(column->name);
      continue;
    }
    if (std::find(used.begin(), used.end(), column) != used.end())
      return fail(ErrorKind::kData, "field " + excerpt(name) + " comes twice: column names" +
                                        in_table + " do not tell upper case from lower");
    used.push_back(column);
    insert.stored[i] = true;
    insert.affinity[i] = column->affinity;
    insert.takes_bool[i] = column->takes_bool;
  }
  if (used.empty())
    return fail(ErrorKind::kData,
                std::find(insert.absent.begin(), insert.absent.end(), false) == insert.absent.end()
                    ? "the record has no fields"
                    : "none of the record's fields can be stored");
  return {};
}

// Once for each name: every record has it.
void Table::tell_generated(const std::string& column) {
  if (!told_.insert(column).second) return;
  log::warn(settings_.pipeline, "sqlite: field " + excerpt(column) +
                                    " is a generated column of table " +
                                    quoted_name(settings_.name) + ": it is left out");
}

// An upsert needs its whole key: a row without it would be inserted anew at each attempt.
Status Table::find_key(const Record& record, Insert& insert) const {
  for (const std::string& part : settings_.key) {
    size_t field = 0;
    while (field < record.shape->size() &&
           (!insert.stored[field] || !same_column(record.shape->name(field), part)))
      ++field;
    if (field == record.shape->size())
      return fail(ErrorKind::kData, "key field " + excerpt(part) + " is absent");
    insert.key_fields.push_back(field);
  }
  return {};
}

Status Table::bind(Insert& insert, const Record& record) {
  for (size_t field : insert.key_fields)
    if (record.value(field).type == Type::kNull)
      return fail(ErrorKind::kData, "key field " + excerpt(record.shape->name(field)) + " is null");
  if (scratch_.size() < insert.absent.size()) scratch_.resize(insert.absent.size());
  int parameter = 0;
  for (size_t i = 0; i < insert.absent.size(); ++i) {
    if (!insert.stored[i]) continue;
    const Value& value = record.value(i);
    Result<int> bound = bind_value(insert, ++parameter, value, i);
    if (!bound)
      return fail(ErrorKind::kData,
                  "field " + excerpt(record.shape->name(i)) + ": " + bound.error().message());
    const int code = *bound;
    if (code == SQLITE_TOOBIG)
      return fail(ErrorKind::kData,
                  "field " + excerpt(record.shape->name(i)) + " is larger than SQLite takes");
    if (code != SQLITE_OK)
      return fail(ErrorKind::kFatal, std::string("sqlite: bind: ") + sqlite3_errstr(code));
  }
  return {};
}

// Text is bound without a copy: the batch, and scratch_, outlive the step. Error: what is wrong
// with the value.
Result<int> Table::bind_value(const Insert& insert, int parameter, const Value& value,
                              size_t field) {
  sqlite3_stmt* const statement = insert.statement.get();
  const Affinity affinity = insert.affinity[field];
  std::string_view text;
  auto misfit = [&](std::string_view number) {
    return fail(ErrorKind::kData, excerpt(number) + " does not fit " + name_of(affinity) +
                                      " column: " + numbers_.problem());
  };
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return sqlite3_bind_null(statement, parameter);
    case Type::kBool:
      if (insert.takes_bool[field]) return sqlite3_bind_int64(statement, parameter, value.integer);
      text = value.integer != 0 ? "true" : "false";
      if (affinity == Affinity::kText) break;
      return fail(ErrorKind::kData, std::string(text) + " does not fit " + name_of(affinity) +
                                        " column: it is a bool, and no number");
    case Type::kInteger:
    case Type::kFloat:
    case Type::kDecimal: {
      std::optional<BoundNumber> number = numbers_.bound(value, affinity);
      if (number && number->as == BoundNumber::As::kInteger)
        return sqlite3_bind_int64(statement, parameter, number->integer);
      if (number && number->as == BoundNumber::As::kReal)
        return sqlite3_bind_double(statement, parameter, number->real);
      scratch_[field].clear();
      append_text(scratch_[field], value);
      text = scratch_[field];
      if (!number) return misfit(text);
      break;
    }
    case Type::kBytes:
      // An empty blob, too, needs an address: a null one would be bound as NULL.
      return sqlite3_bind_blob64(statement, parameter, value.size == 0 ? "" : value.text,
                                 value.size, SQLITE_STATIC);
    case Type::kString:
    case Type::kTime:
      if (value.type == Type::kTime || value.form == Form::kText) {
        scratch_[field].clear();
        append_text(scratch_[field], value);
        text = scratch_[field];
      } else {
        text = value.view();
      }
      if (value.type == Type::kString && !numbers_.keeps(text, affinity)) return misfit(text);
      break;
    case Type::kJson:
      text = value.view();
      break;
  }
  return sqlite3_bind_text64(statement, parameter, text.empty() ? "" : text.data(), text.size(),
                             SQLITE_STATIC, SQLITE_UTF8);
}

}  // namespace leat::sqlite
