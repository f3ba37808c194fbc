#include <algorithm>

#include "base/text.h"
#include "cli/import/job.h"
#include "config/wording.h"

namespace leat::datax {
namespace {

// "1s", "1m30s", "500us": as Go writes a time. Nullopt for what is none; less than 1 ms is 1 ms.
std::optional<Milliseconds> go_duration(std::string_view text) {
  double ms = 0;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 9) return std::nullopt;
    const auto number = static_cast<double>(std::stol(std::string(text.substr(0, digits))));
    text.remove_prefix(digits);
    const std::string_view unit =
        text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    text.remove_prefix(unit.size());
    if (unit == "h")
      ms += number * 3'600'000;
    else if (unit == "m")
      ms += number * 60'000;
    else if (unit == "s")
      ms += number * 1000;
    else if (unit == "ms")
      ms += number;
    else if (unit == "us" || unit == "µs")
      ms += number / 1000;
    else
      return std::nullopt;
  }
  return Milliseconds(std::max<int64_t>(static_cast<int64_t>(ms), 1));
}

void put_batch(Given& parameter, cJSON* options) {
  const std::optional<int64_t> size = parameter.number("batchSize");
  const std::string given = parameter.text("batchTimeout");
  if (!size && given.empty()) return;
  cJSON* batch = cJSON_AddObjectToObject(options, "batch");
  if (size) put_number(batch, "records", *size);
  if (given.empty()) return;
  const std::optional<Milliseconds> linger = go_duration(given);
  if (!linger) parameter.wrong("batchTimeout", "must be a time such as \"1s\"");
  if (linger) put(batch, "linger", exact_duration(*linger));
}

// Empty: all of the table's, in its order.
std::vector<std::string> written_columns(Given& parameter, const Dialect& dialect) {
  const std::vector<std::string> given = parameter.texts("column");
  if (given.empty()) parameter.wrong("column", "missing: [\"*\"] is all of them");
  if (given.size() == 1 && given[0] == "*") return {};
  std::vector<std::string> out;
  for (const std::string& column : given) {
    out.push_back(sql_name(column, dialect));
    if (out.back().empty())
      parameter.wrong("column", "must be names of columns, found \"" + excerpt(column) + "\"");
  }
  return out;
}

// Makes the source's fields known, as many as the columns they go to. False where that cannot be.
bool name_fields(Source& source, const std::vector<std::string>& columns) {
  if (!source.fields.empty()) return source.fields.size() == columns.size();
  if (source.numbered) {
    for (size_t i = 0; i < columns.size(); ++i)
      source.fields.push_back("column" + std::to_string(i));
    return true;
  }
  // A query whose columns are called as those that they go to.
  if (source.query.empty() || source.type != "postgres") return false;
  std::string names;
  for (const std::string& column : columns)
    names += (names.empty() ? "" : ", ") + quoted_where_needed(column, kPostgres);
  cJSON* options = source.options.get();
  for (const char* name : {"table", "where", "split", "concurrency", "query"})
    cJSON_DeleteItemFromObjectCaseSensitive(options, name);
  put(options, "query", "SELECT * FROM (" + source.query + ") AS source (" + names + ")");
  source.fields = columns;
  return true;
}

// "@table" of DataX is the table that is written to.
std::string with_table(std::string statement, const std::string& table) {
  constexpr std::string_view kTable = "@table";
  for (size_t at = 0; (at = statement.find(kTable, at)) != std::string::npos; at += table.size())
    statement.replace(at, kTable.size(), table);
  return statement;
}

constexpr char kNotAsMany[] =
    "not as many as the reader has, or the reader's are not known: name them in both, or in none";

// The sink, with its database and table; "" for a table that is none.
Sink table_sink(Given& parameter, const Dialect& dialect, std::string& table) {
  Sink out{.options = JsonTree(cJSON_CreateObject()), .type = dialect.type};
  cJSON* options = out.options.get();
  put(options, "type", dialect.type);
  const DatabaseTable database = database_of(parameter, dialect, true);
  put(options, dialect.where(), database.url);
  if (database.tables.size() > 1)
    parameter.wrong("connection", "several tables: make a job of each");
  if (!database.tables.empty()) put(options, "table", table = database.tables[0]);
  return out;
}

// Where the writer names no columns, and the sink goes by names.
void say_by_name(Given& parameter, const Source& source) {
  if (source.numbered || !source.fields.empty())
    parameter.wrong("column", "the names of the table's columns are not known: name them");
  else
    parameter.differs("column",
                      "fields go into the columns of their names, and not of their "
                      "places: the same where both tables have the same ones");
}

void put_columns(Given& parameter, cJSON* options, Source& source,
                 const std::vector<std::string>& columns) {
  if (!name_fields(source, columns)) return parameter.wrong("column", kNotAsMany);
  cJSON* map = cJSON_AddObjectToObject(options, "columns");
  for (size_t i = 0; i < columns.size(); ++i) put(map, source.fields[i].c_str(), columns[i]);
}

void put_statements(Given& parameter, cJSON* options, const std::string& table) {
  for (const char* name : {"preSql", "postSql"}) {
    std::vector<std::string> statements = parameter.texts(name);
    for (std::string& one : statements) one = with_table(one, table);
    put(options, name, statements);
  }
}

Sink mysql_sink(Given& parameter, Source& source) {
  std::string table;
  Sink out = table_sink(parameter, kMysql, table);
  cJSON* options = out.options.get();
  const std::string mode = parameter.text("writeMode", "insert");
  if (mode == "insert" || mode == "replace")
    put(options, "writeMode", mode);
  else if (mode == "update")  // ON DUPLICATE KEY UPDATE
    put(options, "writeMode", "upsert");
  else
    parameter.wrong("writeMode", "has no counterpart for this database: \"" + excerpt(mode) +
                                     "\"; there are insert, replace and update");
  const std::vector<std::string> columns = written_columns(parameter, kMysql);
  if (columns.empty())
    say_by_name(parameter, source);
  else
    put_columns(parameter, options, source, columns);
  put_statements(parameter, options, table);
  parameter.not_carried_over("session", "statements for the session have no counterpart");
  parameter.left_out("batchByteSize", "a delivery is as large as `batch` and the memory allow");
  put_batch(parameter, options);
  return out;
}

Sink postgres_sink(Given& parameter, Source& source) {
  std::string table;
  Sink out = table_sink(parameter, kPostgres, table);
  cJSON* options = out.options.get();
  if (table.empty()) return out;
  const std::vector<std::string> columns = written_columns(parameter, kPostgres);
  const std::string mode = parameter.text("writeMode", "insert");
  if (mode == "copyIn")
    put(options, "writeMode", "copy");
  else if (mode == "insert")
    put(options, "writeMode", "insert");
  else if (mode == "upsert")
    put(options, "writeMode", "merge");
  else
    parameter.wrong("writeMode", "has no counterpart for this database: \"" + excerpt(mode) +
                                     "\"; there are copyIn, insert and upsert");
  if (columns.empty())
    put(options, "match", "position");
  else
    put_columns(parameter, options, source, columns);
  if (mode == "upsert") {
    std::string names;
    for (const std::string& column : columns)
      names += (names.empty() ? "" : ", ") + quoted_where_needed(column, kPostgres);
    const std::string clause = parameter.text("upsertSql");
    if (clause.empty()) parameter.wrong("upsertSql", "missing, and required for upsert");
    put(options, "mergeSql",
        "INSERT INTO " + table + (names.empty() ? "" : " (" + names + ")") + " SELECT " +
            (names.empty() ? "*" : names) + " FROM leat_staging " + clause);
  } else {
    parameter.left_out("upsertSql", "is for writeMode upsert");
  }
  put_statements(parameter, options, table);
  parameter.not_carried_over("session", "statements for the session have no counterpart");
  put_batch(parameter, options);
  return out;
}

Sink sqlite_sink(Given& parameter, Source& source) {
  std::string table;
  Sink out = table_sink(parameter, kSqlite, table);
  cJSON* options = out.options.get();
  put_flag(options, "createTable", false);
  const std::vector<std::string> columns = written_columns(parameter, kSqlite);
  if (!columns.empty() && name_fields(source, columns)) {
    for (size_t i = 0; i < columns.size(); ++i)
      if (source.fields[i] != columns[i]) out.renamed.emplace_back(source.fields[i], columns[i]);
  } else if (!columns.empty()) {
    parameter.wrong("column", kNotAsMany);
  } else {
    say_by_name(parameter, source);
  }
  const std::string mode = parameter.text("writeMode", "insert");
  if (mode != "insert")
    parameter.wrong("writeMode", "has no counterpart for this database: \"" + excerpt(mode) + "\"");
  put_statements(parameter, options, table);
  put_batch(parameter, options);
  return out;
}

// What csvwriter and txtfilewriter have in common.
void put_csv(Given& parameter, Sink& sink, Source& source, bool has_header) {
  cJSON* options = sink.options.get();
  put(options, "compression", compression_of(parameter));
  cJSON* csv = cJSON_AddObjectToObject(options, "csv");
  put_flag(csv, "header", has_header);
  put(csv, "encoding", encoding_of(parameter, true));
  const std::vector<std::string> header = parameter.texts("header");
  if (!has_header) return;
  if (header.empty()) {
    if (source.numbered)
      parameter.differs("hasHeader", "the names of the columns are column0, column1 and so on");
  } else if (!name_fields(source, header)) {
    parameter.wrong("header", kNotAsMany);
  } else {
    for (size_t i = 0; i < header.size(); ++i)
      if (source.fields[i] != header[i]) sink.renamed.emplace_back(source.fields[i], header[i]);
  }
}

Sink file_sink(Given& parameter, Source& source, bool csv) {
  Sink out{.options = JsonTree(cJSON_CreateObject()), .type = "file"};
  cJSON* options = out.options.get();
  put(options, "type", "file");
  std::vector<std::string> paths = parameter.texts("path");
  if (paths.size() != 1) parameter.wrong("path", "must be one: a pipeline writes one file");
  std::string path = paths.empty() ? "" : paths[0];
  if (!csv) path += "/" + parameter.text("fileName");
  std::string escaped;
  for (char c : path) escaped += std::string(c == '{' || c == '}' ? 2 : 1, c);
  put(options, "path", escaped);
  put(options, "format", "csv");
  parameter.differs("path",
                    "a file of this name that is there is kept, and the new one then has "
                    "the time in its name");
  parameter.take("writeMode");
  put_csv(parameter, out, source, csv ? parameter.boolean("hasHeader") : parameter.has("header"));
  cJSON* format = cJSON_GetObjectItemCaseSensitive(options, "csv");
  const std::string delimiter = delimiter_of(parameter, csv ? "delimiter" : "fieldDelimiter");
  if (delimiter != ",") put(format, "delimiter", delimiter);
  if (parameter.text("fileFormat", csv ? "csv" : "text") == "text")
    cJSON_AddStringToObject(format, "quote", "");
  put(format, "nullFormat", parameter.text("nullFormat", csv ? "" : "\\N"));
  for (const char* name : {"dateFormat", "format"})
    parameter.left_out(name, "times are written as RFC 3339 has them");
  if (csv) parameter.not_carried_over("column", "types of what is written have no counterpart");
  if (csv) put_batch(parameter, options);
  return out;
}

}  // namespace

Sink sink_of(Given& plugin, Source& source) {
  const std::string name = plugin.text("name");
  Given parameter = plugin.object("parameter");
  Sink out;
  if (name == "csvwriter" || name == "txtfilewriter") {
    out = file_sink(parameter, source, name == "csvwriter");
  } else if (name == "postgreswriter" || name == "postgresqlwriter") {
    out = postgres_sink(parameter, source);
  } else if (name == "mysqlwriter") {
    out = mysql_sink(parameter, source);
  } else if (name == "sqlite3writer") {
    out = sqlite_sink(parameter, source);
  } else {
    plugin.wrong("name", "leat writes nothing as \"" + excerpt(name) +
                             "\" does; what it has: csvwriter, txtfilewriter, mysqlwriter, "
                             "postgreswriter, postgresqlwriter, sqlite3writer");
    return out;
  }
  parameter.finish();
  plugin.finish();
  return out;
}

}  // namespace leat::datax
