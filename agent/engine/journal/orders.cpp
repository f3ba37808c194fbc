#include "journal/orders.h"

#include <cstdlib>

namespace leat {

// All before the last that is removed is dealt with, as if it were delivered: so its numbers are
// not used again (a sink may know them), and nobody looks for what is missing.
Result<SpoolRemoved> carry_out_drop(JournalDatabase& journal, const std::string& pipeline,
                                    uint64_t to) {
  Result<SpoolRemoved> removed = journal.spool().remove(pipeline, to);
  if (!removed) return removed;
  Status status = journal.save(pipeline, {std::string(kDropOrder), ""});
  const std::string reached = "spool:" + journal.spool().epoch(pipeline);
  uint64_t delivered = 0;
  Result<std::vector<SavedPosition>> saved = journal.load(pipeline);
  if (!saved) status = fail(saved.error());
  for (const SavedPosition& one : saved ? *saved : std::vector<SavedPosition>())
    if (one.partition == reached) delivered = std::strtoull(one.value.c_str(), nullptr, 10);
  if (status && removed->end > delivered)
    status = journal.save(pipeline, {reached, std::to_string(removed->end)});
  return status ? removed : fail(status.error());
}

}  // namespace leat
