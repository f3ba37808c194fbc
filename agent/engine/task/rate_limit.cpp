#include "task/rate_limit.h"

#include <algorithm>

namespace leat {

Milliseconds RateLimit::wait_after(size_t bytes, uint64_t records, int64_t now_us) {
  double seconds = 0;
  if (config_.records_per_second > 0)
    seconds = static_cast<double>(records) / static_cast<double>(config_.records_per_second);
  if (config_.bytes_per_second > 0)
    seconds = std::max(seconds,
                       static_cast<double>(bytes) / static_cast<double>(config_.bytes_per_second));
  not_before_us_ = std::max(not_before_us_, now_us) + static_cast<int64_t>(seconds * 1e6);
  return Milliseconds((not_before_us_ - now_us) / 1000);
}

}  // namespace leat
