// The clocks. Only main makes the real one; tests advance a fake one.
#pragma once

#include <cstdint>

namespace leat {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t unix_us() const = 0;       // wall clock, UTC; may step
  virtual int64_t monotonic_us() const = 0;  // never goes back
};

class SystemClock final : public Clock {
 public:
  int64_t unix_us() const override;
  int64_t monotonic_us() const override;
};

}  // namespace leat
