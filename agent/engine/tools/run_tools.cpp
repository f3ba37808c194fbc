#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "journal/queries.h"
#include "journal/rows.h"
#include "tools/run_rows.h"
#include "tools/tools.h"

namespace leat {
namespace {

constexpr size_t kDigits = 10;

constexpr size_t kStarted = 33;  // {"started":"2026-11-26T12:00:00Z"

// What has no end in the journal, and does not run, was cut short.
std::string shown(std::string value) {
  constexpr std::string_view kEnded = ",\"ended\":";
  if (value.size() > kStarted && value.compare(kStarted, kEnded.size(), kEnded) != 0)
    value.insert(value.size() - 1, ",\"state\":\"interrupted\"");
  return value;
}

}  // namespace

std::string run_partition(const std::string& pipeline, uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  return pipeline + ":" + digits;
}

Result<std::map<std::string, RunNumbers>> run_numbers(JournalDatabase& journal) {
  std::map<std::string, RunNumbers> out;
  Rows rows(journal, query::kRunNumbers);
  while (rows.next())
    out[rows.text(0)] = {std::strtoull(rows.text(1).c_str(), nullptr, 10),
                         std::strtoull(rows.text(2).c_str(), nullptr, 10)};
  if (Status end = rows.end(); !end) return fail(end.error());
  return out;
}

Result<PositionsByPipeline> positions_of_runs(JournalDatabase& journal) {
  PositionsByPipeline out;
  Rows rows(journal, query::kPositionsOfRuns);
  while (rows.next()) out[rows.text(0)].push_back({rows.text(1), ""});
  if (Status end = rows.end(); !end) return fail(end.error());
  return out;
}

ToolResult list_runs(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  std::map<std::string, std::string> found = request.live;
  Rows rows(*journal, query::kRuns, request.pipeline);
  while (rows.next())
    if (std::string partition = rows.text(0); !found.contains(partition))
      found[std::move(partition)] = shown(rows.text(1));
  if (Status end = rows.end(); !end) return fail(end.error());
  if (found.empty() && !request.pipeline.empty() && !request.configured.contains(request.pipeline))
    return fail(ErrorKind::kUsage,
                "the journal knows no run of a pipeline \"" + request.pipeline + "\"");
  std::vector<std::pair<std::string, std::string>> all;  // by when they started
  for (auto& [partition, run] : found)
    all.emplace_back(run.substr(0, kStarted) + partition, std::move(run));
  std::ranges::sort(all, std::greater());
  std::string out;
  for (const auto& [key, run] : all) out += (out.empty() ? "" : ",") + run;
  return "{\"runs\":[" + out + "]}\n";
}

}  // namespace leat
