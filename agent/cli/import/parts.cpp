// What readers and writers have in common.
#include <algorithm>

#include "base/in_quotes.h"
#include "base/text.h"
#include "cli/import/job.h"

namespace leat::datax {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_plain_name(std::string_view text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) && std::ranges::all_of(text, [&letter](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

// Words that look like names of columns, and are values.
bool is_value(std::string_view lower) {
  static constexpr std::string_view kValues[] = {
      "true",         "false",        "null",           "current_date",     "current_time",
      "current_user", "session_user", "localtimestamp", "current_timestamp"};
  return std::ranges::find(kValues, lower) != std::end(kValues);
}

}  // namespace

std::string sql_name(std::string_view text, const Dialect& dialect) {
  const char quote = dialect.quote;
  if (text.size() > 2 && text.front() == quote && text.back() == quote) {
    const std::string_view inner = text.substr(1, text.size() - 2);
    return inner.find(quote) == std::string_view::npos ? std::string(inner) : "";
  }
  const std::string lower = lower_case(text);
  if (!is_plain_name(text) || is_value(lower)) return "";
  return dialect.folds ? lower : std::string(text);
}

std::string quoted_where_needed(std::string_view name, const Dialect& dialect) {
  if (is_plain_name(name) && (!dialect.folds || lower_case(name) == name)) return std::string(name);
  return in_quotes(name, dialect.quote);
}

DatabaseTable database_of(Given& parameter, const Dialect& dialect, bool needs_table) {
  DatabaseTable out;
  const std::string user = parameter.text("username");
  const std::string password = parameter.text("password");
  std::vector<Given> connections = parameter.objects("connection");
  if (connections.empty()) parameter.wrong("connection", "missing: where the database is");
  if (connections.size() > 1)
    parameter.wrong("connection",
                    "several databases: a pipeline reads or writes one; make a job "
                    "of each");
  for (Given& connection : connections) {
    const bool java = connection.has("jdbcUrl");
    const char* key = java ? "jdbcUrl" : "url";
    const std::vector<std::string> urls = connection.texts(key);
    if (urls.empty()) connection.wrong(key, "missing");
    if (urls.size() > 1)
      connection.differs(key, "several URLs: the first is taken, and no other is tried");
    if (!urls.empty() && dialect.url == nullptr) {
      out.url = urls[0].starts_with("jdbc:sqlite:") ? urls[0].substr(12) : urls[0];
      if (out.url.starts_with("file:") || out.url.find('?') != std::string::npos)
        connection.wrong(key, "must be the path of a file, without parameters");
    } else if (!urls.empty()) {
      out.url = dialect.url(urls[0], user, password, connection, key);
    }
    const cJSON* table = connection.take("table");
    if (cJSON_IsObject(table) != 0) {
      Given named = connection.object("table");
      const std::string schema = named.text(dialect.schema);
      const std::string name = named.text("name");
      named.take("db");  // the tools look at it in MySQL alone: elsewhere the URL says it
      if (!name.empty() && dialect.url == nullptr)
        out.tables = {name};
      else if (!name.empty())
        out.tables = {(schema.empty() ? "" : quoted_where_needed(schema, dialect) + ".") +
                      quoted_where_needed(name, dialect)};
      named.finish();
    } else {
      out.tables = connection.texts("table");
    }
    if (needs_table && out.tables.empty()) connection.wrong("table", "missing");
    connection.take("querySql");  // queries_of() has it
    connection.finish();
  }
  return out;
}

void put(cJSON* object, const char* name, std::string_view text) {
  if (!text.empty()) cJSON_AddStringToObject(object, name, std::string(text).c_str());
}

void put(cJSON* object, const char* name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  cJSON* list = cJSON_AddArrayToObject(object, name);
  for (const std::string& text : texts)
    cJSON_AddItemToArray(list, cJSON_CreateString(text.c_str()));
}

void put_number(cJSON* object, const char* name, int64_t number) {
  cJSON_AddNumberToObject(object, name, static_cast<double>(number));
}

void put_flag(cJSON* object, const char* name, bool flag) {
  cJSON_AddBoolToObject(object, name, flag ? 1 : 0);
}

std::string encoding_of(Given& parameter, bool written) {
  struct Pair {
    std::string_view theirs;
    std::string_view ours;
  };
  static constexpr Pair kPairs[] = {{"utf-8", ""},
                                    {"utf8", ""},
                                    {"latin1", "latin1"},
                                    {"iso-8859-1", "latin1"},
                                    {"windows-1252", "windows-1252"},
                                    {"cp1252", "windows-1252"},
                                    {"gbk", "gbk"},
                                    {"cp936", "gbk"},
                                    {"gb2312", "gbk"},
                                    {"utf-16", "utf-16"}};
  const std::string given = parameter.text("encoding", "utf-8");
  for (const Pair& pair : kPairs)
    if (pair.theirs == lower_case(given) && !(written && pair.ours == "utf-16"))
      return std::string(pair.ours);
  parameter.wrong("encoding", "leat does not " + std::string(written ? "write" : "read") + " \"" +
                                  excerpt(given) + "\": convert the file by iconv");
  return "";
}

std::string compression_of(Given& parameter) {
  const std::string given = parameter.text("compress");
  if (given.empty() || given == "none") return "";
  if (given == "gz" || given == "gzip") return "gzip";
  parameter.wrong("compress", "leat packs by gzip only, found \"" + excerpt(given) + "\"");
  return "";
}

std::string delimiter_of(Given& parameter, std::string_view key) {
  const std::string given = parameter.text(key, ",");
  if (given.size() != 1) parameter.wrong(key, "must be one character of ASCII");
  return given == "\t" ? "\\t" : given;
}

}  // namespace leat::datax
