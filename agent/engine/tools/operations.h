// What an operator may ask of the journal, as one table: the running agent answers from it over its
// socket (control/commands), and where none runs the command line opens the journal and
// does the same (cli/journal_access.h). Answers are JSON, or JSON lines.
//
// Thread: the journal's (JournalClient::work_on).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "delivery/delivery_config.h"
#include "journal/database.h"

namespace leat {

// Of a pipeline that is configured.
struct ConfiguredDelivery {
  int64_t max_spool = 0;    // bytes
  bool sink_keeps = false;  // the positions: exactlyOnce, without a spool
  bool has_place = true;    // its source has one that it can go back to
};

struct OperationRequest {
  std::string pipeline;  // "": all
  std::map<std::string, std::string, std::less<>> parameters = {};
  std::map<std::string, ConfiguredDelivery> configured = {};
  int64_t now_us = 0;  // Unix time
  // Of `runs`: those that run now, by run_partition(), in the place of what the journal has; of
  // `tasks`: jobs, by their pipelines.
  std::map<std::string, std::string> live = {};
  // Nothing else has the pipeline's records: what would wait for its next start is done now.
  bool at_once = false;
  // Set by the operation: it has left word for the pipeline's next start (journal/orders.h).
  bool ordered = false;

  std::string_view parameter(std::string_view name) const {
    auto found = parameters.find(name);
    return found == parameters.end() ? std::string_view() : std::string_view(found->second);
  }
};

ConfiguredDelivery configured_delivery(const DeliveryConfig& delivery, bool has_place);

struct Operation {
  std::string_view name;  // "spool/drop"
  bool changes = false;
  bool transaction = false;  // it runs in one, which is on the disk afterwards
  Result<std::string> (*run)(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
};

// spool                  {"spools":[…]}: what each pipeline has in its spool
// spool/records          the records of one batch of `pipeline`, from number `from` on, as lines
// spool/drop             of `pipeline`: `all`, or what arrived `before` (microseconds, Unix time)
// positions              {"positions":[…]}
// positions/reset        of `pipeline`, of all files or `file`, `to` start, end or an offset
// runs                   {"runs":[…]}: what pipelines ran, the newest first (tools/run_rows.h)
// tasks                  {"pipelines":[…]}: of the last run of each job (tools/task_rows.h)
// journal/verify         {"ok":…,"problems":[…],…}
// journal/compact        {"before":…,"after":…}
std::span<const Operation> journal_operations();
const Operation* find_operation(std::string_view name);

// What was found in a journal, opened to be looked at. As journal/verify.
Result<std::string> verify_journal(JournalDatabase& journal);

}  // namespace leat
