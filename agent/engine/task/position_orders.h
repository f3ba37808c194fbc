// "reset:" orders of an operator (journal/orders.h), carried out on what was saved.
//
// Thread: a pool thread; opening files may take its time.
#pragma once

#include <string>
#include <vector>

#include "journal/orders.h"
#include "stage/source.h"

namespace leat {

// Takes the orders out of what the journal has saved.
std::vector<SavedPosition> take_orders(std::vector<SavedPosition>& saved);

struct CarriedOut {
  std::vector<SavedPosition> moved;  // without a value: to be removed
  std::vector<std::string> told;     // what comes twice, or is skipped; for the log
};
// `saved`: the source's positions, wherever they are kept. What cannot be moved is told, and stays.
CarriedOut carry_out_resets(const std::vector<SavedPosition>& orders, const SourceType& source,
                            Replay replay, const std::vector<SavedPosition>& saved);

}  // namespace leat
