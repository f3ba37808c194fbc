#include "table/table_list.h"

#include <utility>

#include "base/units.h"

namespace leat::table {

bool is_pattern(std::string_view table) {
  return table.find('%') != std::string_view::npos && table.find('"') == std::string_view::npos;
}

std::string like_of(std::string_view pattern) {
  std::string out;
  for (char c : pattern) {
    if (c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Result<std::string> found(const std::string& pattern,
                          const Result<std::vector<std::string>>& names) {
  if (!names) return fail(names.error());
  if (names->empty()) return fail(ErrorKind::kUsage, "there is no table of the name " + pattern);
  return pattern + ": " + format_count(names->size(), "table");
}

TableList::TableList(std::unique_ptr<Database> database, std::string pattern, Done done)
    : Question(std::move(database), "the tables " + pattern),
      pattern_(std::move(pattern)),
      done_(std::move(done)) {}

void TableList::ask() {
  database().list([this](Result<std::vector<std::string>> names) { listed(std::move(names)); });
}

void TableList::listed(Result<std::vector<std::string>> names) {
  if (names && names->empty())
    return done_(fail(ErrorKind::kUsage, "there is no table of the name " + pattern_));
  if (names) return done_(std::move(names));
  if (std::optional<Error> error = failed(names.error())) done_(fail(*error));
}

}  // namespace leat::table
