#include "control/service_manager.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "control/notify_socket.h"

namespace leat {
namespace {

// systemd ignores datagrams beyond 4096 bytes, and nobody reads a longer line.
constexpr size_t kLongestStatus = 1000;

// Time to close the journal when everything is drained.
constexpr Milliseconds kToClose{15'000};
constexpr Milliseconds kLongestExtension{7 * 86'400'000};

// One line of UTF-8, which is all systemd takes. What a peer said may be in it: a line break would
// begin another assignment.
std::string one_line(std::string text) {
  if (!is_utf8(text)) return excerpt(text, kLongestStatus);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  if (text.size() <= kLongestStatus) return text;
  text.resize(kLongestStatus);
  while (!is_utf8(text)) text.pop_back();
  return text + "…";
}

template <typename Number>
std::optional<Number> number(const std::string& text) {
  Number out = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc() || stop != end || out <= 0) return std::nullopt;
  return out;
}

// Half of what systemd allows between two signs of life (sd_watchdog_enabled(3)).
Milliseconds watchdog_period(const ServiceManager::Environment& environment, pid_t self) {
  std::optional<std::string> interval = environment("WATCHDOG_USEC");
  std::optional<std::string> whose = environment("WATCHDOG_PID");
  if (!interval || (whose && number<pid_t>(*whose) != self)) return Milliseconds{0};
  std::optional<int64_t> us = number<int64_t>(*interval);
  if (!us) {
    log::warn("leat", "WATCHDOG_USEC is \"" + excerpt(*interval) +
                          "\", which is no number of microseconds: the watchdog gets no signs of "
                          "life");
    return Milliseconds{0};
  }
  return std::max(Milliseconds{*us / 2000}, Milliseconds{1});
}

}  // namespace

ServiceManager::ServiceManager(const Clock& clock, Send send, Milliseconds ping_period)
    : clock_(clock), send_(std::move(send)), ping_period_(ping_period) {}

ServiceManager ServiceManager::of_process(const Environment& environment, const Clock& clock,
                                          pid_t self) {
  ServiceManager nobody(clock, nullptr, Milliseconds{0});
  if (!environment) return nobody;
  std::optional<std::string> text = environment("NOTIFY_SOCKET");
  if (!text || text->empty()) return nobody;
  Result<NotifyAddress> address = parse_notify_address(*text);
  if (!address) {
    log::warn("leat", address.error().message() + ": the service manager is not told anything");
    return nobody;
  }
  Send send = [to = *address](const std::string& message) {
    return send_notification(to, message);
  };
  return {clock, std::move(send), watchdog_period(environment, self)};
}

void ServiceManager::alive(const std::string& status) {
  if (!std::exchange(ready_, true)) return send("READY=1\n", status);
  std::string whole = refused_.empty() ? status : refused_ + "; " + status;
  std::string ping = ping_period_.count() > 0 ? "WATCHDOG=1\n" : "";
  if (one_line(whole) != status_) return send(ping, whole);
  if (!ping.empty()) send(ping);
}

void ServiceManager::reloading() {
  // The time tells systemd which SIGHUP this answers (Type=notify-reload).
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(clock_.monotonic_us()) + "\n",
       "reading the configuration again");
}

void ServiceManager::reload_done(const std::string& outcome) {
  refused_.clear();
  ready_ = true;
  send("READY=1\n", outcome);
}

void ServiceManager::reload_refused(const std::string& reason) {
  refused_ = "configuration refused, the old one goes on: " + reason;
  ready_ = true;
  send("READY=1\n", refused_);
}

void ServiceManager::stopping(const std::string& why, Milliseconds at_most) {
  if (std::exchange(stopping_, true)) return send("", why);
  refused_.clear();
  // A service that ends without ever having been ready counts as failed, even with exit code 0.
  if (!std::exchange(ready_, true)) send("READY=1\n");
  std::string extend;
  // Without it, a drainTimeout beyond the unit's TimeoutStopSec ends in SIGKILL.
  if (at_most > Milliseconds{0}) {
    Milliseconds needed = std::min(at_most, kLongestExtension) + kToClose;
    extend = "EXTEND_TIMEOUT_USEC=" + std::to_string(needed.count() * 1000) + "\n";
  }
  send("STOPPING=1\n" + extend, why);
}

void ServiceManager::send(const std::string& assignments, const std::string& status) {
  status_ = one_line(status);
  send(assignments + "STATUS=" + status_ + "\n");
}

void ServiceManager::send(const std::string& message) {
  if (!send_) return;
  Status sent = send_(message);
  if (!sent && !failing_)
    log::warn("leat", "the service manager cannot be told how it goes: " + sent.error().message());
  failing_ = !sent;
}

}  // namespace leat
