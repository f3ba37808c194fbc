#include "tools/operations.h"

#include <algorithm>
#include <iterator>

#include "tools/tools.h"

namespace leat {
namespace {

constexpr Operation kOperations[] = {
    {.name = "spool", .run = list_spools},
    {.name = "spool/records", .run = spooled_records},
    {.name = "spool/drop", .changes = true, .transaction = true, .run = drop_spooled},
    {.name = "positions", .run = list_positions},
    {.name = "positions/reset", .changes = true, .transaction = true, .run = reset_positions},
    {.name = "runs", .run = list_runs},
#ifdef LEAT_TASK_HISTORY
    {.name = "tasks", .run = list_tasks},
#endif
    {.name = "journal/verify",
     .run = [](std::unique_ptr<JournalDatabase>& journal,
               OperationRequest& /*request*/) { return verify_journal(*journal); }},
    {.name = "journal/compact", .changes = true, .run = compact_journal},
};

}  // namespace

ConfiguredDelivery configured_delivery(const DeliveryConfig& delivery, bool has_place) {
  return {delivery.spool.max_bytes,
          delivery.exactly_once && delivery.spool.mode == SpoolMode::kNever, has_place};
}

std::span<const Operation> journal_operations() {
  return kOperations;
}

const Operation* find_operation(std::string_view name) {
  const auto* found = std::ranges::find(kOperations, name, &Operation::name);
  return found == std::end(kOperations) ? nullptr : found;
}

}  // namespace leat
