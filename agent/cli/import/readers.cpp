#include <algorithm>

#include "base/text.h"
#include "cli/import/job.h"
#include "cli/import/time_pattern.h"

namespace leat::datax {
namespace {

std::string place_name(int64_t place) {
  return "column" + std::to_string(place);
}

// Types of both tools.
std::string_view type_named(std::string_view name) {
  struct Pair {
    std::string_view theirs;
    std::string_view ours;
  };
  static constexpr Pair kPairs[] = {
      {"string", "string"},   {"bigInt", "integer"}, {"long", "integer"},
      {"decimal", "decimal"}, {"double", "float"},   {"bool", "bool"},
      {"boolean", "bool"},    {"time", "time"},      {"date", "time"}};
  for (const Pair& pair : kPairs)
    if (pair.theirs == name) return pair.ours;
  return "";
}

// One entry of `column`; null where something is wrong with it.
cJSON* csv_column(Given& column, int64_t first, int64_t& index) {
  column.not_carried_over("value",
                          "a constant in the place of a column has no counterpart here: "
                          "add it by a transform \"map\"");
  index = column.number("index").value_or(first - 1) - first;
  if (index < 0) column.wrong("index", "missing, or less than " + std::to_string(first));
  const std::string given = column.text("type");
  std::string_view type = type_named(given);
  if (type.empty()) column.wrong("type", "unknown type \"" + excerpt(given) + "\"");
  cJSON* out = cJSON_CreateObject();
  put_number(out, "index", index);
  put(out, "name", place_name(index));
  if (type != "string") put(out, "type", type);
  const std::string format = column.text("format");
  if (type == "time") {
    Result<std::string> pattern = time_pattern(format);
    if (format.empty()) column.wrong("format", "missing: how the time is written");
    if (pattern)
      put(out, "format", *pattern);
    else
      column.wrong("format", pattern.error().message());
  }
  column.finish();
  return out;
}

// csvreader counts columns from 1, and reads all of them: those that are named get a type.
// txtfilereader counts from 0, and reads those that are named.
Source csv_source(Given& parameter, bool all_columns, const Speed& speed) {
  Source out{.options = JsonTree(cJSON_CreateObject()), .type = "file", .numbered = true};
  cJSON* options = out.options.get();
  put(options, "type", "file");
  const std::vector<std::string> paths = parameter.texts("path");
  if (paths.empty()) parameter.wrong("path", "missing: the files to read");
  for (const std::string& path : paths)
    if (path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/'))
      parameter.differs("path", "a path of Windows: here it is a file of just this name");
  put(options, "path", paths);
  put(options, "format", "csv");
  put(options, "compression", compression_of(parameter));
  cJSON* csv = cJSON_AddObjectToObject(options, "csv");
  put_flag(csv, "header", false);
  const std::string delimiter =
      delimiter_of(parameter, all_columns ? "delimiter" : "fieldDelimiter");
  if (delimiter != ",") put(csv, "delimiter", delimiter);
  put(csv, "encoding", encoding_of(parameter, false));
  int64_t start = parameter.number("startRow").value_or(1);
  if (parameter.boolean("skipHeader")) start = 2;
  if (start > 1) put_number(csv, "startRow", start);
  const std::string comment = parameter.text("comment");
  put(csv, "comment", comment);
  if (start > 1 && !comment.empty())
    parameter.differs("startRow", "counts the lines of the file here, comments, too");
  parameter.take("nullFormat");
  cJSON_AddStringToObject(csv, "nullFormat",
                          parameter.text("nullFormat", all_columns ? "" : "\\N").c_str());
  parameter.not_carried_over("csvReaderConfig", "has no counterpart");
  put(csv, "types", "string");
  const cJSON* given = parameter.take("column");
  const bool star = cJSON_IsArray(given) != 0 && cJSON_IsString(given->child) != 0 &&
                    std::string_view(given->child->valuestring) == "*";
  if (given != nullptr && !star) {
    cJSON* columns = cJSON_AddArrayToObject(csv, "columns");
    for (Given& column : parameter.objects("column")) {
      int64_t index = 0;
      cJSON_AddItemToArray(columns, csv_column(column, all_columns ? 1 : 0, index));
      if (!all_columns) out.fields.push_back(place_name(index));
    }
    if (all_columns) put_flag(csv, "otherColumns", true);
    out.numbered = all_columns;
  }
  if (speed.channels > 1 && paths.size() > 1)
    parameter.differs("path",
                      "the files are read one after the other, and not by several channels");
  return out;
}

std::string without_end(std::string query) {
  const size_t last = query.find_last_not_of("; \t\r\n");
  query.resize(last == std::string::npos ? 0 : last + 1);
  return query;
}

// `split` of go-etl, `splitPk` of DataX.
std::string split_key(Given& parameter) {
  if (parameter.has("splitPk")) return parameter.text("splitPk");
  if (!parameter.has("split")) return "";
  Given split = parameter.object("split");
  split.left_out("timeAccuracy", "ranges end at rows of the table here");
  split.left_out("range", "all rows are read here, those outside of this range, too");
  std::string key = split.text("key");
  split.finish();
  return key;
}

struct Columns {
  std::vector<std::string> names;  // empty: all
  std::string selected;            // SQL, where one of them is an expression
};

Columns columns_of(Given& parameter, const Dialect& dialect) {
  Columns out;
  const std::vector<std::string> given = parameter.texts("column");
  if (given.empty()) parameter.wrong("column", "missing: [\"*\"] is all of them");
  if (given.empty() || (given.size() == 1 && given[0] == "*")) return out;
  bool plain = true;
  for (const std::string& column : given) plain &= !sql_name(column, dialect).empty();
  for (size_t i = 0; i < given.size(); ++i) {
    const std::string name = sql_name(given[i], dialect);
    out.names.push_back(name.empty() ? place_name(static_cast<int64_t>(i)) : name);
    out.selected += (i == 0 ? "" : ", ") + given[i] + (name.empty() ? " AS " + out.names[i] : "");
    if (given[i] == "*") parameter.wrong("column", "\"*\" must stand alone");
  }
  if (plain) out.selected.clear();
  return out;
}

// `querySql` stands in the parameter, or in DataX in its connection.
std::vector<std::string> queries_of(Given& parameter) {
  std::vector<std::string> out = parameter.texts("querySql");
  for (Given& connection : parameter.objects("connection"))
    if (out.empty()) out = connection.texts("querySql");
  return out;
}

Source table_source(Given& parameter, const Dialect& dialect, const Speed& speed) {
  Source out{.options = JsonTree(cJSON_CreateObject()), .type = dialect.type};
  cJSON* options = out.options.get();
  put(options, "type", dialect.type);
  const std::vector<std::string> queries = queries_of(parameter);
  const DatabaseTable database = database_of(parameter, dialect, queries.empty());
  put(options, dialect.where(), database.url);
  parameter.not_carried_over("trimChar", "has no counterpart: write rtrim(…) in `column`");
  parameter.not_carried_over("session", "statements for the session have no counterpart");
  parameter.left_out("fetchSize", "rows are read as there is memory for them");
  const std::string where = parameter.text("where");
  const std::string split = split_key(parameter);
  if (!queries.empty()) {
    if (queries.size() > 1) parameter.wrong("querySql", "several queries: make a job of each");
    parameter.take("column");
    put(options, "query", out.query = without_end(queries[0]));
    return out;
  }
  const Columns columns = columns_of(parameter, dialect);
  out.fields = columns.names;
  if (database.tables.empty()) return out;
  const std::string condition = where.empty() ? "" : " WHERE " + where;
  if (!columns.selected.empty()) {
    if (database.tables.size() > 1)
      parameter.wrong("column", "expressions of several tables have no counterpart");
    if (!split.empty())
      parameter.differs("column", "with expressions a table is read as one, not in ranges");
    put(options, "query", "SELECT " + columns.selected + " FROM " + database.tables[0] + condition);
    return out;
  }
  if (database.tables.size() == 1) {
    put(options, "table", database.tables[0]);
    out.query = "SELECT * FROM " + database.tables[0] + condition;
  } else {
    put(options, "tables", database.tables);
    if (!split.empty())
      parameter.differs("splitPk", "of several tables each is read as one, not in ranges");
  }
  put(options, "columns", columns.names);
  put(options, "where", where);
  const bool ranges = !split.empty() && database.tables.size() == 1 && speed.channels > 1;
  if (ranges) {
    cJSON* by = cJSON_AddObjectToObject(options, "split");
    const std::string key = sql_name(split, dialect);
    put(by, "by", key.empty() ? split : key);
    put_number(by, "tasks", std::min<int64_t>(speed.channels, 1000));
  }
  if (ranges || database.tables.size() > 1)
    put_number(options, "concurrency", std::clamp<int64_t>(speed.channels, 1, 64));
  return out;
}

}  // namespace

Source source_of(Given& plugin, const Speed& speed) {
  const std::string name = plugin.text("name");
  Given parameter = plugin.object("parameter");
  Source out;
  if (name == "csvreader" || name == "txtfilereader") {
    out = csv_source(parameter, name == "csvreader", speed);
  } else if (name == "postgresreader" || name == "postgresqlreader") {
    out = table_source(parameter, kPostgres, speed);
  } else if (name == "mysqlreader") {
    out = table_source(parameter, kMysql, speed);
  } else if (name == "sqlite3reader") {
    out = table_source(parameter, kSqlite, speed);
  } else {
    plugin.wrong("name", "leat reads nothing as \"" + excerpt(name) +
                             "\" does; what it has: csvreader, txtfilereader, mysqlreader, "
                             "postgresreader, postgresqlreader, sqlite3reader");
    return out;
  }
  parameter.finish();
  plugin.finish();
  return out;
}

}  // namespace leat::datax
