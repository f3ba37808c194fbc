#include "connectors/postgres/cuts.h"

#include <utility>

namespace leat::postgres {
namespace {

constexpr int kCutsToHunt = 3;
// With so many good deliveries, each half of the one before, the record has been passed.
constexpr int kGoodToStop = 64;

}  // namespace

std::optional<Answer> Cuts::cut(const Delivery& delivery, const std::string& why) {
  if (std::exchange(key_, delivery.key) != delivery.key) cuts_ = 0;
  good_ = 0;
  ++cuts_;
  const bool alone = delivery.records == 1;
  if (cuts_ < kCutsToHunt && (alone || !hunting_)) return {};
  cuts_ = 0;
  hunting_ = !alone;
  return Answer::rejected(
      alone ? why + ": at this record, " + std::to_string(kCutsToHunt) + " times in a row" : why);
}

void Cuts::delivered() {
  cuts_ = 0;
  if (hunting_ && ++good_ >= kGoodToStop) hunting_ = false;
}

}  // namespace leat::postgres
