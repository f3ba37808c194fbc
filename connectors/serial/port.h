// One open serial port: its line settings, reading and writing without blocking.
//
// Written on the kernel's own interface and not on libserialport, which the listing of ports uses:
// that library takes no port that has no entry in /sys/class/tty (pseudo-terminals, ports handed
// into a container), wants modem control lines of every port, and sets CRTSCTS among the input
// flags (0.1.1 and 0.1.2), where it does nothing, so that RTS/CTS flow control stays off.
//
// Thread: the loop's. Errors: kUnavailable when there is no such port (now), kUsage when a person
// must do something about it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::serial {

enum class Parity { kNone, kOdd, kEven, kMark, kSpace };
enum class FlowControl { kNone, kRtsCts, kXonXoff, kDtrDsr };

struct LineSettings {
  int baud_rate = 9600;  // any; the driver takes the nearest it can make
  int data_bits = 8;     // 5 to 8
  Parity parity = Parity::kNone;
  int stop_bits = 1;  // 1 or 2
  FlowControl flow_control = FlowControl::kNone;
};

class Port {
 public:
  // Opens it for this process alone and sets the line: raw, errors marked (marked_input.h). Does
  // not change the control lines on closing, which would reset some boards.
  static Result<std::unique_ptr<Port>> open(const std::string& path, const LineSettings& settings);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int fd() const { return fd_; }
  // What the driver did not take of the settings, for people; "" when it took all.
  const std::string& not_taken() const { return not_taken_; }

  // 0 when there is nothing now. Fails when the device is gone.
  Result<size_t> read(std::span<char> into);
  // How many bytes were taken, maybe 0. Fails when the device is gone.
  Result<size_t> write(std::string_view bytes);
  // Throws away what was written and not sent.
  void discard_output();

  // DTR/DSR flow control, which Linux leaves to us: asks the device to pause, and whether it asks.
  void hold(bool pause);
  bool held_by_device() const;

  // Bytes the hardware or the kernel dropped for lack of room, since opening; nullopt where the
  // driver does not say.
  std::optional<uint64_t> overruns() const;

 private:
  explicit Port(int fd) : fd_(fd) {}
  int fd_;
  bool exclusive_ = false;  // we said so, and take it back
  FlowControl flow_control_ = FlowControl::kNone;
  std::string not_taken_;
  uint64_t overruns_before_ = 0;
};

}  // namespace leat::serial
