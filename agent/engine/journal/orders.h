// What an operator has ordered of a pipeline, kept in the journal among its positions until its
// next start, which carries it out: then nothing of it runs, it is known what its source is, and
// whether the sink keeps the positions. A crash in between changes nothing.
//
//   "drop:"        spooled records before the number in the value are dropped
//   "reset:FILE"   the positions of that file (of all, without one) go to the value: "start",
//                  "end", or an offset; "anew": to the start, by the schedule and no operator, of
//                  which nothing is said
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "journal/database.h"

namespace leat {

inline constexpr std::string_view kDropOrder = "drop:";
inline constexpr std::string_view kResetOrder = "reset:";
inline constexpr std::string_view kAnew = "anew";

inline bool is_order(std::string_view partition) {
  return partition.starts_with(kDropOrder) || partition.starts_with(kResetOrder);
}

// Carries out a "drop:" in the present transaction, and forgets it. The spool must be open.
Result<SpoolRemoved> carry_out_drop(JournalDatabase& journal, const std::string& pipeline,
                                    uint64_t to);

}  // namespace leat
