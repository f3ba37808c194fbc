// The port as it comes and goes: waits for it, watches it, reads and writes it, and says when it is
// lost and when it is back.
//
// Thread: the loop's; all callbacks come from the loop or from inside start(), none after
// destruction.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/rate_limited_log.h"
#include "connectors/serial/options.h"
#include "connectors/serial/port.h"
#include "connectors/serial/port_waiter.h"
#include "loop/handles.h"

namespace leat::serial {

class DeviceListener {
 public:
  virtual ~DeviceListener() = default;
  virtual void on_opened() = 0;
  // There is something to read: read() now, or hold().
  virtual void on_readable() = 0;
  // The port is gone; on_opened() follows when it is back.
  virtual void on_lost() = 0;
};

class Device {
 public:
  // `scope` is the pipeline, for log lines.
  Device(Loop& loop, std::string scope, const Settings& settings, DeviceListener& listener);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  void start();

  bool is_open() const { return port_ != nullptr; }
  // At most one read of the kernel's; "" when there was nothing, or the port was lost. Valid until
  // the next call.
  std::string_view read();
  // Sends `bytes` as the line takes them. What is still unsent of earlier ones is given up.
  void write(std::string_view bytes);
  // Gives up what is not sent. False when everything was sent.
  bool stop_writing();

  // Back-pressure: no on_readable() until it is released, and the device is told to pause where
  // flow control can.
  void hold();
  void release();

 private:
  Attempt try_open(bool patient);
  void ready();
  void watch();
  void send_rest();
  void lost(const std::string& why);
  void count_overruns();

  Loop& loop_;
  const Clock& clock_;
  const std::string scope_;
  const Settings& settings_;
  DeviceListener& listener_;
  PortWaiter waiter_;
  RateLimitedLog overruns_;
  std::unique_ptr<Port> port_;
  std::unique_ptr<Poll> poll_;  // closed before the port
  std::string unsent_;
  std::string said_;               // why it could not be opened, as the log has it
  std::array<char, 4096> buffer_;  // what a terminal's line discipline holds at most
  uint64_t overruns_seen_ = 0;
  int64_t overruns_looked_us_ = 0;
  int64_t opened_us_ = 0;
  bool waited_ = false;  // the log says that the port is awaited
  bool held_ = false;
};

}  // namespace leat::serial
