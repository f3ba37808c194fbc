#include "base/backoff.h"

#include <algorithm>
#include <utility>

namespace leat {

Backoff::Backoff(uint64_t seed) : random_(static_cast<std::minstd_rand::result_type>(seed)) {
  random_.discard(8);  // the first values of this generator follow a small seed closely
}

Milliseconds Backoff::between(Milliseconds least, Milliseconds most) {
  return Milliseconds(std::uniform_int_distribution<int64_t>(least.count(), most.count())(random_));
}

Milliseconds Backoff::after(int failures, Milliseconds shortest, Milliseconds longest) {
  Milliseconds most = shortest;
  for (int i = 1; i < failures && most < longest; ++i) most *= 2;
  return between(Milliseconds{0}, std::min(most, longest));
}

Milliseconds Backoff::about(Milliseconds time) {
  return between(time, time + time / 10);
}

Milliseconds DoublingDelay::next() {
  return std::exchange(next_, std::min(next_ * 2, longest_));
}

Milliseconds GrowingDelay::at(int64_t now_us) const {
  return std::min(std::max(Milliseconds((now_us - since_us_) / 2000), shortest_), longest_);
}

}  // namespace leat
