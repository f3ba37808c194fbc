// `limits`: how long nothing may be read after what was, so that the configured rates hold.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "plan/pipeline_config.h"

namespace leat {

class RateLimit {
 public:
  explicit RateLimit(const LimitsConfig& config) : config_(config) {}

  bool any() const { return config_.records_per_second > 0 || config_.bytes_per_second > 0; }
  // So much was read. How long to wait before more may be; `now_us`: Clock::monotonic_us().
  Milliseconds wait_after(size_t bytes, uint64_t records, int64_t now_us);

 private:
  const LimitsConfig config_;
  int64_t not_before_us_ = 0;
};

}  // namespace leat
