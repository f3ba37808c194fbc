#include "table/table_list.h"

#include <map>
#include <utility>

#include "base/units.h"

namespace leat::table {
namespace {

Error no_table(const std::string& pattern) {
  return {ErrorKind::kUsage, "there is no table of the name " + pattern};
}

}  // namespace

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

Result<std::string> found(const std::string& pattern, const Tables& tables) {
  if (!tables) return fail(tables.error());
  if (tables->empty()) return fail(no_table(pattern));
  return pattern + ": " + format_count(tables->size(), "table");
}

Result<std::vector<std::string>> each_once(const std::vector<std::string>& names,
                                           const std::vector<Listed>& listed,
                                           const std::set<std::string_view>& was_read) {
  std::vector<std::string> out;
  std::map<std::string_view, size_t> places;  // in `out`, by identity
  auto next = listed.begin();
  for (size_t asked = 0; asked < names.size(); ++asked) {
    const std::string& asked_for = names[asked];
    const bool pattern = is_pattern(asked_for);
    if (next == listed.end() || next->asked != asked) {
      if (pattern) return fail(no_table(asked_for));
      out.push_back(asked_for);
    }
    for (; next != listed.end() && next->asked == asked; ++next) {
      if (next->within) continue;
      const std::string& name = pattern ? next->name : asked_for;
      const auto [place, is_new] = places.emplace(next->identity, out.size());
      if (is_new)
        out.push_back(name);
      else if (!was_read.contains(out[place->second]) && was_read.contains(name))
        out[place->second] = name;
    }
  }
  return out;
}

TableList::TableList(std::unique_ptr<Database> database, const std::vector<std::string>& names,
                     Done done)
    : Question(std::move(database),
               "the tables " + names.front() + (names.size() > 1 ? ", …" : "")),
      names_(names),
      done_(std::move(done)) {}

void TableList::ask() {
  database().list(names_, [this](Tables tables) {
    if (tables) return done_(std::move(tables));
    if (std::optional<Error> error = failed(tables.error())) done_(fail(*error));
  });
}

}  // namespace leat::table
