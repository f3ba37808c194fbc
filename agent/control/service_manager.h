// What the service manager is told about the agent, as sd_notify(3) has it: that it is ready,
// reloads, stops, and is alive; each time with a line for people (systemctl status).
//
// Nothing here disturbs the agent: when no service manager listens nothing is said, and when a
// message cannot be sent one warning is.
//
// Thread: the main loop's.
#pragma once

#include <unistd.h>

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"

namespace leat {

class ServiceManager {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;
  using Send = std::function<Status(const std::string& message)>;

  // An empty `send`: nobody listens. `ping_period`: how often alive() must be said; 0: it need not.
  ServiceManager(const Clock& clock, Send send, Milliseconds ping_period);
  // As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say. What cannot be used is logged.
  static ServiceManager of_process(const Environment& environment, const Clock& clock, pid_t self);

  bool listening() const { return send_ != nullptr; }
  Milliseconds ping_period() const { return ping_period_; }

  // All loops turn. The first time this means that the agent is ready. The status is sent only when
  // it has changed.
  void alive(const std::string& status);

  // To be followed by one of the next two.
  void reloading();
  void reload_done(const std::string& outcome);
  // Stays in the status until another reload, since it would be missed otherwise.
  void reload_refused(const std::string& reason);

  // `at_most`: how long it may take, 0 when there is nothing to wait for. Later calls change only
  // the status.
  void stopping(const std::string& why, Milliseconds at_most);

 private:
  void send(const std::string& assignments, const std::string& status);
  void send(const std::string& message);

  const Clock& clock_;
  Send send_;
  Milliseconds ping_period_;
  bool ready_ = false;
  bool stopping_ = false;
  bool failing_ = false;
  std::string refused_;
  std::string status_;  // as sent last
};

}  // namespace leat
