#include "table/settings.h"

#include <algorithm>

#include "base/text.h"
#include "options/option_errors.h"
#include "table/sql_text.h"

namespace leat::table {
namespace {

Mode mode_of(const std::string& name) {
  for (size_t i = 0; i < std::size(kModes); ++i)
    if (name == kModes[i]) return static_cast<Mode>(i);
  return Mode::kFull;
}

// "id desc", as in an ORDER BY.
bool names_order(std::string_view column) {
  const size_t space = column.rfind(' ');
  if (space == std::string_view::npos) return false;
  std::string word(column.substr(space + 1));
  for (char& c : word) c = static_cast<char>(c | 0x20);
  return word == "desc" || word == "asc";
}

void check_query(const Options& options, const Settings& settings, OptionErrors& errors) {
  for (const char* name : {"columns", "where", "tableField"})
    if (options.has(name)) errors.add(options, name, "is for `table`: write it into \"query\"");
  const QueryText text(settings.query);
  if (text.several()) errors.add(options, "query", "is to be one SELECT, without a semicolon");
  if (text.has_word("offset"))
    errors.add(options, "query",
               "pages with OFFSET lose rows when others are deleted: leave it out, and let the "
               "parameters :after_… say where to go on");
  if (settings.cursor.empty()) {
    if (!text.parameters().empty())
      errors.add(options, "query",
                 "has the parameter :" + text.parameters().front() + ", but there is no cursor");
    return;
  }
  if (!text.orders())
    errors.add(options, "query", "with a cursor it needs ORDER BY " + joined(settings.cursor));
  for (const std::string& column : settings.cursor) {
    const std::string name = "after_" + column;
    const auto& known = text.parameters();
    if (std::ranges::find(known, name) == known.end())
      errors.add(options, "query",
                 "lacks the parameter :" + name + ", behind which the next page begins");
  }
  for (const std::string& parameter : text.parameters())
    if (std::ranges::none_of(settings.cursor, [&parameter](const std::string& column) {
          return parameter == "after_" + column;
        }))
      errors.add(options, "query",
                 "has the parameter :" + parameter + ", and no cursor column has that name");
  if (settings.from.size() != settings.cursor.size())
    errors.add(options, "from",
               "with a query it needs a value for each cursor column (" + joined(settings.cursor) +
                   "): they are the first page's parameters");
}

}  // namespace

const std::string Settings::kQueryName = "query";

void Settings::check_names(const Options& options, const char* option, OptionErrors& errors) {
  const std::vector<std::string>& names = options.strings(option);
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty())
      errors.add(options, path_of_index(option, i), "is empty");
    else if (names_order(names[i]) && std::string_view(option) == "cursor")
      errors.add(options, path_of_index(option, i),
                 "is the name of a column: rows are always read upwards");
    for (size_t j = 0; j < i; ++j)
      if (names[i] == names[j])
        errors.add(options, path_of_index(option, i), "\"" + names[i] + "\" is named twice",
                   Problem::Kind::kTwice);
  }
}

bool Settings::is_full(const Options& options) {
  return options.string("mode") == kModes[0];
}

bool Settings::names_table(const Options& options) {
  return !options.string("tableField").empty();
}

Options Settings::of_first(const Options& options) {
  const std::vector<std::string>& tables = options.strings("tables");
  return tables.empty() ? options : of_table(options, tables.front());
}

Options Settings::of_table(const Options& options, const std::string& table) {
  Options out = options;
  out.set("table", table);
  out.set("tables", std::vector<std::string>{});
  return out;
}

bool Settings::is_bounded(const Options& options) {
  return is_full(options) || options.boolean("once");
}

Result<Settings> Settings::from_options(const Options& options) {
  OptionErrors errors;
  Settings out;
  out.table = options.string("table");
  out.query = options.string("query");
  out.mode = mode_of(options.string("mode"));
  out.columns = options.strings("columns");
  out.table_field = options.string("tableField");
  out.where = options.string("where");
  out.cursor = options.strings("cursor");
  out.split_by = options.string("split.by");
  out.page_size = options.integer("pageSize");
  out.max_record = static_cast<size_t>(options.bytes("maxRecord"));
  out.every = options.duration("every");
  out.from = options.strings("from");
  out.once = options.boolean("once");
  out.consistency_delay = options.duration("consistencyDelay");

  const bool steps = out.mode != Mode::kFull;
  if (out.table.empty() && out.query.empty())
    errors.add(options, "table", "or \"tables\" or \"query\" must say what to read",
               Problem::Kind::kMissing);
  if (!out.table.empty() && !out.query.empty())
    errors.add(options, "query", "and \"table\" do not go together");
  check_names(options, "columns", errors);
  check_names(options, "cursor", errors);
  if (steps && out.cursor.empty())
    errors.add(options, "cursor",
               "is needed to find what is new: the columns that order the rows, such as "
               "[\"updated_at\", \"id\"]",
               Problem::Kind::kMissing);
  if (!out.split_by.empty() && !out.cursor.empty() && out.cursor.front() != out.split_by)
    errors.add(options, "split.by",
               "is to be the first column of \"cursor\": rows are read in its order");
  if (!steps && out.once) errors.add(options, "once", "mode full ends by itself");
  if (!out.query.empty()) {
    check_query(options, out, errors);
  } else if (!out.from.empty()) {
    if (out.mode != Mode::kIncremental)
      errors.add(options, "from", "is for mode incremental");
    else if (out.from.size() > 1)
      errors.add(options, "from", "is one value, of the first cursor column");
    else if (out.from[0] == "now")
      out.from.clear();
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

}  // namespace leat::table
