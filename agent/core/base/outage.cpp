#include "base/outage.h"

namespace leat {

bool Outage::failed(const std::string& reason, int64_t now_us) {
  const bool first = failures_++ == 0;
  if (first) {
    since_us_ = now_us;
    growing_.begin(now_us);
  }
  const bool other = reason != reason_;
  reason_ = reason;
  return first || other;
}

void Outage::over() {
  failures_ = 0;
  reason_.clear();
}

}  // namespace leat
