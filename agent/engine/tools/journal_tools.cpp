// What is in the journal, whether it is whole, and as little of it as may be.
#include <map>

#include "base/text.h"
#include "journal/queries.h"
#include "journal/rows.h"
#include "tools/tools.h"

namespace leat {
namespace {

constexpr size_t kMostProblems = 20;

class Findings {
 public:
  void add(const std::string& problem) {
    if (problem.empty()) return;
    if (++count_ <= kMostProblems) list_ += (list_.empty() ? "" : ",") + json_quoted(problem);
  }
  size_t count() const { return count_; }
  const std::string& list() const { return list_; }

 private:
  std::string list_;
  size_t count_ = 0;
};

int64_t number_of(JournalDatabase& journal, const char* sql) {
  Rows rows(journal, sql);
  return rows.next() ? rows.number(0) : 0;
}

}  // namespace

Result<std::string> verify_journal(JournalDatabase& journal) {
  Findings found;
  found.add(journal.damage());
  Rows check(journal, query::kIntegrity);
  while (check.next())
    if (check.bytes(0) != "ok") found.add(check.text(0));
  if (Status end = check.end(); !end) found.add(end.error().message());

  std::map<int64_t, std::string> pipelines;
  Rows spools(journal, query::kSpools);
  while (spools.next()) pipelines[spools.number(0)] = spools.text(1);
  if (Status end = spools.end(); !end) found.add(end.error().message());

  uint64_t batches = 0;
  int64_t records = 0;
  Rows rows(journal, query::kRows);
  while (rows.next()) {
    ++batches;
    records += rows.number(1);
    const int64_t id = rows.number(0);
    auto owner = pipelines.find(spool_number(id));
    const std::string whose = owner == pipelines.end() ? "of an unknown pipeline" : owner->second;
    std::optional<RowIdentity> row = identify_row(rows.bytes(2));
    const std::string place =
        "spooled batch at record " + std::to_string(record_number(id)) + " (" + whose + "): ";
    if (!row && !is_old_row(rows.bytes(2))) found.add(place + "its checksum is wrong");
    if (row && (row->pipeline != whose || row->first != record_number(id)))
      found.add(place + "it is another's");
  }
  if (Status end = rows.end(); !end) found.add(end.error().message());

  const int64_t page = number_of(journal, query::kPageSize);
  auto member = [](const char* name, int64_t value) {
    return std::string(",\"") + name + "\":" + std::to_string(value);
  };
  return std::string("{\"ok\":") + (found.count() == 0 ? "true" : "false") +
         member("bytes", page * number_of(journal, query::kPageCount)) +
         member("freeBytes", page * number_of(journal, query::kFreePages)) +
         member("positions", number_of(journal, query::kPositionCount)) +
         member("spooledBatches", static_cast<int64_t>(batches)) +
         member("spooledRecords", records) +
         member("problemCount", static_cast<int64_t>(found.count())) + ",\"problems\":[" +
         found.list() + "]}\n";
}

ToolResult compact_journal(std::unique_ptr<JournalDatabase>& journal,
                           OperationRequest& /*request*/) {
  Result<JournalDatabase::Compacted> done = JournalDatabase::compact(journal);
  if (!done) return fail(done.error());
  return "{\"before\":" + std::to_string(done->before) +
         ",\"after\":" + std::to_string(done->after) + "}\n";
}

}  // namespace leat
