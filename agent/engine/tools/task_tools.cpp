#include <map>

#include "journal/queries.h"
#include "journal/rows.h"
#include "tools/task_rows.h"
#include "tools/tools.h"

namespace leat {
namespace {

// In JSON no text has a quotation mark of its own, so these are what they look like.
constexpr std::string_view kRunning = "\"running\":";
constexpr std::string_view kIsRunning = "\"state\":\"running\"";
constexpr std::string_view kIsCutShort = "\"state\":\"interrupted\"";

// As it is when nothing of it runs.
std::string at_rest(std::string job) {
  const size_t count = job.find(kRunning);
  if (count == std::string::npos || job.find(kIsRunning) == std::string::npos) return job;
  const size_t number = count + kRunning.size();
  const size_t end = job.find_first_not_of("0123456789", number);
  if (end == std::string::npos) return job;
  job.replace(number, end - number, "0,\"interrupted\":" + job.substr(number, end - number));
  for (size_t at = 0; (at = job.find(kIsRunning, at)) != std::string::npos;)
    job.replace(at, kIsRunning.size(), kIsCutShort);
  return job;
}

}  // namespace

ToolResult list_tasks(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  std::map<std::string, std::string> found = request.live;
  Rows rows(*journal, query::kTasks, request.pipeline);
  while (rows.next())
    if (std::string pipeline = rows.text(0); !found.contains(pipeline))
      found[std::move(pipeline)] = at_rest(rows.text(1));
  if (Status end = rows.end(); !end) return fail(end.error());
  if (found.empty())
    if (Status known = check_pipeline(*journal, request); !known) return fail(known.error());
  std::string out;
  for (const auto& [pipeline, job] : found) out += (out.empty() ? "" : ",") + job;
  return "{\"pipelines\":[" + out + "]}\n";
}

}  // namespace leat
