// The clocks. Only main makes the real one and hands it down; tests move one by hand.
#pragma once

#include <cstdint>

namespace leat {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t unix_us() const = 0;       // wall clock, UTC; may step
  virtual int64_t monotonic_us() const = 0;  // never goes back
  // Since the machine was started, with the time for which it slept.
  virtual int64_t since_boot_us() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t unix_us() const override;
  int64_t monotonic_us() const override;
  int64_t since_boot_us() const override;
};

}  // namespace leat
