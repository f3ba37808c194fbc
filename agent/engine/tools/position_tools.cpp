#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "base/time_format.h"
#include "journal/orders.h"
#include "journal/queries.h"
#include "journal/rows.h"
#include "tools/tools.h"

namespace leat {
namespace {

Status forget_resets(JournalDatabase& journal, const std::string& pipeline) {
  Result<std::vector<SavedPosition>> saved = journal.load(pipeline);
  if (!saved) return fail(saved.error());
  for (const SavedPosition& one : *saved)
    if (one.partition.starts_with(kResetOrder))
      if (Status forgotten = journal.save(pipeline, {one.partition, ""}); !forgotten)
        return forgotten;
  return {};
}

// Of those that the sink keeps, beside which the journal has at most what it was told of the
// source.
void add_kept_elsewhere(std::string& out, const OperationRequest& request,
                        const std::set<std::string>& told) {
  for (const auto& [name, known] : request.configured)
    if (known.sink_keeps && !told.contains(name) &&
        (request.pipeline.empty() || request.pipeline == name))
      out += std::string(out.empty() ? "" : ",") + "{\"pipeline\":" + json_quoted(name) +
             ",\"keptBy\":\"sink\"}";
}

}  // namespace

Status check_pipeline(JournalDatabase& journal, const OperationRequest& request) {
  if (request.pipeline.empty() || request.configured.contains(request.pipeline)) return {};
  if (Rows known(journal, query::kKnowsPipeline, request.pipeline); known.next()) return {};
  return fail(ErrorKind::kUsage, "the journal knows no pipeline \"" + request.pipeline + "\"");
}

// Orders that wait are among them; "drop:" is none of a position.
ToolResult list_positions(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  if (Status known = check_pipeline(*journal, request); !known) return fail(known.error());
  std::string out;
  std::set<std::string> told;
  Rows rows(*journal, query::kPositions, request.pipeline);
  while (rows.next()) {
    std::string partition = rows.text(1);
    if (partition.starts_with(kDropOrder)) continue;
    const bool order = is_order(partition);
    if (order) partition = partition.substr(kResetOrder.size());
    out += std::string(out.empty() ? "" : ",") + "{\"pipeline\":" + json_quoted(rows.bytes(0)) +
           (order ? ",\"resetOf\":" : ",\"partition\":") + json_quoted(partition) +
           (order ? ",\"to\":" : ",\"value\":") + json_quoted(rows.bytes(2)) + ",\"saved\":\"" +
           rfc3339(rows.number(3) * 1'000'000) + '"';
    auto known = request.configured.find(rows.text(0));
    if (known != request.configured.end() && known->second.sink_keeps) {
      out += ",\"keptBy\":\"sink\"";
      if (!order) told.insert(rows.text(0));
    }
    out += '}';
  }
  if (Status end = rows.end(); !end) return fail(end.error());
  add_kept_elsewhere(out, request, told);
  return "{\"positions\":[" + out + "]}\n";
}

ToolResult reset_positions(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  std::string to(request.parameter("to"));
  if (to.empty()) to = "start";
  const bool is_number =
      std::ranges::all_of(to, [](char c) { return c >= '0' && c <= '9'; }) && to.size() < 19;
  if (to != "start" && to != "end" && !is_number)
    return fail(ErrorKind::kUsage, "to: start, end, or an offset, found \"" + excerpt(to) + "\"");
  auto configured = request.configured.find(request.pipeline);
  if (configured != request.configured.end() && !configured->second.has_place)
    return fail(ErrorKind::kUsage, request.pipeline +
                                       ": its source has no place that it could go back to; it "
                                       "gets what its peer sends");
  // Of one that is not configured, and that is not in here, the name is wrong.
  if (configured == request.configured.end())
    if (Rows known(*journal, query::kHasPositions, request.pipeline); !known.next())
      return fail(ErrorKind::kUsage,
                  "the journal has no positions of a pipeline \"" + request.pipeline + "\"");
  const std::string order = std::string(kResetOrder) + std::string(request.parameter("file"));
  if (order == kResetOrder)  // what was ordered for some of its files before counts no more
    if (Status forgotten = forget_resets(*journal, request.pipeline); !forgotten)
      return fail(forgotten.error());
  if (Status saved = journal->save(request.pipeline, {order, to}); !saved)
    return fail(saved.error());
  request.ordered = true;
  return "{\"pipeline\":" + json_quoted(request.pipeline) + ",\"to\":" + json_quoted(to) + "}\n";
}

}  // namespace leat
