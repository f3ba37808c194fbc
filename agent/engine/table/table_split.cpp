#include "table/table_split.h"

#include <utility>

namespace leat::table {

Result<std::optional<Division>> SavedSplit::find(SourceContext& context,
                                                 const std::vector<SavedPosition>& shared) const {
  for (const SavedPosition& one : shared)
    if (one.partition == partition()) return Division::parse(one.value);
  const std::string whole = "table " + table_;
  bool ranges = false;
  for (const auto* list : {&context.noted(), &context.saved()}) {
    for (const SavedPosition& one : *list) {
      if (one.partition == whole) return Division();
      if (one.partition == partition()) return Division::parse(one.value);
      ranges = ranges || one.partition.starts_with(whole + ", ");
    }
  }
  if (!ranges) return std::nullopt;
  return fail(ErrorKind::kUsage,
              "table " + table_ +
                  ": the sink has positions of its ranges, and the journal does not know the "
                  "ranges: begin anew with `leat positions reset`");
}

Error no_key() {
  return {ErrorKind::kUsage, "it has no key by which it could be divided"};
}

TableSplit::TableSplit(std::unique_ptr<Database> database, const std::string& table, size_t parts,
                       Done done)
    : Question(std::move(database), "the ranges of table " + table),
      parts_(parts),
      done_(std::move(done)) {}

void TableSplit::ask() {
  database().look([this](Result<Look> look) { looked(std::move(look)); });
}

void TableSplit::looked(Result<Look> look) {
  if (!look) return trouble(look.error());
  if (look->cursor.empty()) return trouble(no_key());
  division_.cursor = std::move(look->cursor);
  database().divide(division_.cursor, parts_, [this](Result<std::vector<Key>> bounds) {
    if (!bounds) return trouble(bounds.error());
    division_.bounds = std::move(*bounds);
    done_(division_);
  });
}

void TableSplit::trouble(const Error& error) {
  if (std::optional<Error> final = failed(error)) done_(fail(*final));
}

}  // namespace leat::table
