#include "task/position_orders.h"

#include <algorithm>
#include <cstdlib>

#include "base/units.h"
#include "state/state.h"

namespace leat {
namespace {

PositionTarget target_of(const SavedPosition& order) {
  PositionTarget out;
  out.file = order.partition.substr(kResetOrder.size());
  if (order.value == "end") {
    out.to = PositionTarget::To::kEnd;
  } else if (order.value != "start" && order.value != kAnew) {
    out.to = PositionTarget::To::kOffset;
    out.offset = std::strtoull(order.value.c_str(), nullptr, 10);
  }
  return out;
}

std::string words_of(const MovedPosition& moved) {
  std::string out = moved.what + ": from " + std::to_string(moved.from) + " to " +
                    std::to_string(moved.to) + ": ";
  if (moved.to == moved.from) return out + "nothing changes";
  return out + (moved.to < moved.from ? "what was read between them comes again"
                                      : "what is between them is skipped");
}

Result<std::optional<MovedPosition>> move_one(const SourceType& source, const SavedPosition& saved,
                                              const PositionTarget& target) {
  if (source.move_position != nullptr) return source.move_position(saved, target);
  if (target.to != PositionTarget::To::kStart || !target.file.empty())
    return fail(ErrorKind::kUsage, std::string(source.name) + " can only begin anew");
  return std::optional<MovedPosition>(
      MovedPosition{{saved.partition, ""}, saved.partition + " (" + saved.value + ")", 0, 0});
}

}  // namespace

std::vector<SavedPosition> take_orders(std::vector<SavedPosition>& saved) {
  auto rest = std::stable_partition(saved.begin(), saved.end(), [](const SavedPosition& one) {
    return !is_order(one.partition);
  });
  std::vector<SavedPosition> orders(rest, saved.end());
  saved.erase(rest, saved.end());
  return orders;
}

CarriedOut carry_out_resets(const std::vector<SavedPosition>& orders, const SourceType& source,
                            Replay replay, const std::vector<SavedPosition>& saved) {
  CarriedOut out;
  for (const SavedPosition& order : orders) {
    if (!order.partition.starts_with(kResetOrder)) continue;
    if (replay != Replay::kFromPosition) {
      out.told.push_back("no position was reset: a " + std::string(source.name) +
                         " source has none that it could go back to");
      continue;
    }
    bool any = false;
    for (const SavedPosition& one : saved) {
      if (one.partition.starts_with("spool:") || is_state(one.partition)) continue;
      Result<std::optional<MovedPosition>> moved = move_one(source, one, target_of(order));
      any |= !moved || moved->has_value();
      if (!moved) out.told.push_back("not reset: " + moved.error().message());
      if (!moved || !moved->has_value()) continue;
      if (order.value != kAnew)
        out.told.push_back((*moved)->from == 0 && (*moved)->to == 0
                               ? (*moved)->what + ": begins anew"
                               : words_of(**moved));
      // An order for one file comes behind that for all, and is the one that counts.
      std::erase_if(out.moved, [&one](const SavedPosition& before) {
        return before.partition == one.partition;
      });
      out.moved.push_back(std::move((*moved)->position));
    }
    if (!any && order.value != kAnew)
      out.told.emplace_back("no position was reset: none was saved of what was ordered");
  }
  return out;
}

}  // namespace leat
