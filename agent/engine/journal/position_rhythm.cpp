#include "journal/position_rhythm.h"

#include <algorithm>
#include <utility>

namespace leat {
namespace {

constexpr int64_t kFirstMs = 100;

}  // namespace

PositionRhythm::PositionRhythm(Loop& loop, const Period& period, std::function<void()> begin,
                               std::function<void()> end)
    : loop_(loop),
      period_(period),
      begin_(std::move(begin)),
      end_(std::move(end)),
      begun_(loop.now()),
      timer_(loop) {}

Milliseconds PositionRhythm::wait() const {
  auto ran = int64_t{(loop_.now() - begun_).count()};
  return Milliseconds(std::min<int64_t>(period_.ms, std::max(ran, kFirstMs)));
}

void PositionRhythm::at_next(std::function<void()> save) {
  waiting_.push_back(std::move(save));
  if (!timer_.active()) timer_.start(wait(), [this] { due(); });
}

void PositionRhythm::due() {
  begin_();
  for (const std::function<void()>& save : std::exchange(waiting_, {})) save();
  end_();
}

}  // namespace leat
