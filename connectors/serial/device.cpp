#include "connectors/serial/device.h"

#include <utility>

#include "base/log.h"

namespace leat::serial {
namespace {

// A port that is lost sooner after opening was never really there: it is not opened again at once.
constexpr int64_t kSettledUs = 1'000'000;
// How often the driver is asked for overruns, at most, while bytes come.
constexpr int64_t kOverrunsEveryUs = 1'000'000;

}  // namespace

Device::Device(Loop& loop, std::string scope, const Settings& settings, DeviceListener& listener)
    : loop_(loop),
      clock_(loop.clock()),
      scope_(std::move(scope)),
      settings_(settings),
      listener_(listener),
      waiter_(loop, settings.port, [this](bool patient) { return try_open(patient); }),
      overruns_(clock_, scope_,
                settings.port + ": input overrun, bytes were lost before leat could read them") {}

Device::~Device() {
  overruns_.finish();
  poll_.reset();
}

void Device::start() {
  waiter_.start();
}

Attempt Device::try_open(bool patient) {
  Result<std::unique_ptr<Port>> opened = Port::open(settings_.port, settings_.line);
  if (!opened) {
    const std::string& why = opened.error().message();
    if (opened.error().kind() == ErrorKind::kUnavailable) {
      if (!std::exchange(waited_, true)) log::warn(scope_, why + ": waiting for it");
      return Attempt::kMissing;
    }
    // Right after a device was plugged in, its permissions are not set yet.
    if (patient && why != said_) {
      log::error(scope_, why + "; trying again");
      said_ = why;
      waited_ = true;
    }
    return Attempt::kRefused;
  }
  Result<std::unique_ptr<Poll>> poll = Poll::make(loop_, (*opened)->fd(), [this] { ready(); });
  if (!poll) {
    if (patient) log::error(scope_, settings_.port + ": " + poll.error().message());
    return Attempt::kRefused;
  }
  port_ = std::move(*opened);
  poll_ = std::move(*poll);
  if (std::exchange(waited_, false)) log::info(scope_, settings_.port + " is there and open");
  if (!port_->not_taken().empty())
    log::warn(scope_, settings_.port + ": the driver did not take " + port_->not_taken() +
                          ": what it can do is used instead");
  said_.clear();
  held_ = false;
  overruns_seen_ = 0;
  opened_us_ = clock_.monotonic_us();
  watch();
  listener_.on_opened();
  return Attempt::kOpened;
}

void Device::watch() {
  if (!poll_) return;
  // Nothing tells when a device that holds us (DSR) lets go: what is unsent then waits to be given
  // up. Watching for room, which there is, would spin.
  bool sending = !unsent_.empty() && !port_->held_by_device();
  int events = (held_ ? 0 : UV_READABLE) | (sending ? UV_WRITABLE : 0);
  if (events == 0) {
    poll_->stop();
  } else {
    poll_->start(events);
  }
}

void Device::ready() {
  if (!unsent_.empty()) send_rest();
  if (port_ && !held_) listener_.on_readable();
}

std::string_view Device::read() {
  if (!port_) return {};
  Result<size_t> size = port_->read(buffer_);
  if (!size) {
    lost(size.error().message());
    return {};
  }
  if (*size > 0 && clock_.monotonic_us() - overruns_looked_us_ > kOverrunsEveryUs) count_overruns();
  return {buffer_.data(), *size};
}

void Device::write(std::string_view bytes) {
  unsent_ = bytes;
  send_rest();
}

void Device::send_rest() {
  if (!port_) return;
  if (!port_->held_by_device()) {
    Result<size_t> size = port_->write(unsent_);
    if (!size) return lost(size.error().message());
    unsent_.erase(0, *size);
  }
  watch();
}

bool Device::stop_writing() {
  if (unsent_.empty()) return false;
  unsent_.clear();
  if (port_) port_->discard_output();
  watch();
  return true;
}

void Device::hold() {
  held_ = true;
  if (port_) port_->hold(true);
  watch();
}

void Device::release() {
  if (!std::exchange(held_, false) || !port_) return;
  port_->hold(false);
  count_overruns();
  watch();
}

void Device::count_overruns() {
  overruns_looked_us_ = clock_.monotonic_us();
  uint64_t now = port_->overruns().value_or(0);
  if (now > overruns_seen_) overruns_.note(now - overruns_seen_);
  overruns_seen_ = now;
}

void Device::lost(const std::string& why) {
  poll_.reset();
  port_.reset();
  unsent_.clear();
  held_ = false;
  log::warn(scope_, settings_.port + " is gone (" + why + "): waiting until it is back");
  waited_ = true;
  bool settled = clock_.monotonic_us() - opened_us_ >= kSettledUs;
  listener_.on_lost();
  if (settled) {
    waiter_.start();
  } else {
    waiter_.start_later();
  }
}

}  // namespace leat::serial
