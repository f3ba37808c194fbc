// What readers, writers and settings of one job have to know of each other.
#pragma once

#include <cjson/cJSON.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/import/connection_url.h"
#include "cli/import/given.h"

namespace leat::datax {

struct DeleteJson {
  void operator()(cJSON* node) const { cJSON_Delete(node); }
};
using JsonTree = std::unique_ptr<cJSON, DeleteJson>;

// Of `setting.speed`.
struct Speed {
  int64_t channels = 1;
  int64_t records = 0;  // a second; 0: any number
  int64_t bytes = 0;
};

// A stage of the pipeline that comes of it.
struct Source {
  JsonTree options;
  std::string_view type;  // "file"; "" where there is none
  // Columns have places there, and names here. Empty: they are not known before it runs.
  std::vector<std::string> fields = {};
  // The fields are column0, column1 and so on, as many as a row has.
  bool numbered = false;
  // The query to read by, where `fields` are not known, and a writer names its columns.
  std::string query = {};
};

struct Sink {
  JsonTree options;
  std::string_view type;
  std::vector<std::pair<std::string, std::string>> renamed = {};  // fields, on the way to it
};

// Fail by what they add to the problems of `plugin`, the object with `name` and `parameter`.
Source source_of(Given& plugin, const Speed& speed);
Sink sink_of(Given& plugin, Source& source);

// What databases do not have in common.
struct Dialect {
  std::string_view type;  // of the source and the sink
  // Null: it is a file, and has a path.
  std::string (*url)(std::string_view given, const std::string& user, const std::string& password,
                     Given& where, std::string_view key);
  const char* schema;  // beside the `name` of a table; "" where it is not looked at
  char quote = '"';    // of names
  bool folds = false;  // a name without quotes becomes lower case

  const char* where() const { return url == nullptr ? "path" : "url"; }
};
inline constexpr Dialect kMysql{"mysql", mysql_url, "db", '`'};
inline constexpr Dialect kPostgres{"postgres", postgres_url, "schema", '"', true};
inline constexpr Dialect kSqlite{"sqlite", nullptr, ""};

// "Name" and "name": as SQL reads a name without quotes, or with them. "" for what is no name.
std::string sql_name(std::string_view text, const Dialect& dialect);
// The name as `table` takes it: in quotes where it needs them.
std::string quoted_where_needed(std::string_view name, const Dialect& dialect);
// A whole table of a database: the text of `table`.
struct DatabaseTable {
  std::string url;  // or the path
  std::vector<std::string> tables;
};
// Of `connection`, which is one object (url, table: {schema, name}) or a list (jdbcUrl, table:
// […]).
DatabaseTable database_of(Given& parameter, const Dialect& dialect, bool needs_table);

// Options put into `object`, where there is something to say.
void put(cJSON* object, const char* name, std::string_view text);
void put(cJSON* object, const char* name, const std::vector<std::string>& texts);
void put_number(cJSON* object, const char* name, int64_t number);
void put_flag(cJSON* object, const char* name, bool flag);

// `encoding` of CSV that is read, or written; "" for utf-8, and for what is none here, of which it
// is said.
std::string encoding_of(Given& parameter, bool written);
// Of `compress`: "gzip" or "".
std::string compression_of(Given& parameter);
std::string delimiter_of(Given& parameter, std::string_view key);

}  // namespace leat::datax
