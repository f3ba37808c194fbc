#include "delivery/linger.h"

#include <algorithm>
#include <utility>

namespace leat {
namespace {

// What comes together is not torn apart: the messages of one read, the first lines of a file.
constexpr Milliseconds kTogether{1};

}  // namespace

Linger::Linger(Loop& loop, std::function<void()> over, std::function<void()> soon)
    : loop_(loop), over_(std::move(over)), soon_(std::move(soon)), longest_(loop), hurry_(loop) {}

void Linger::start(Milliseconds longest, Milliseconds spacing) {
  longest_.start(longest, over_);
  spacing_ = spacing;
  may_hurry_ = false;
  if (spacing.count() == 0) return;
  Milliseconds wait = went_ ? *went_ + spacing - loop_.now() : kTogether;
  hurry_in(std::max(wait, kTogether));
}

void Linger::hurry_in(Milliseconds delay) {
  hurry_.start(delay, [this] {
    may_hurry_ = true;
    soon_();
  });
}

void Linger::wait_for_more() {
  may_hurry_ = false;
  hurry_in(spacing_);
}

void Linger::went() {
  went_ = loop_.now();
  stop();
}

void Linger::stop() {
  longest_.stop();
  hurry_.stop();
  may_hurry_ = false;
}

}  // namespace leat
