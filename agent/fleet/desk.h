// The operator's connection to the broker: MQTT 5 by paho-mqtt-c, which shows by the way that any
// foreign client can speak to the gateways.
//
// Thread: one; nothing happens but in its calls. A lost connection is made again in them, with what
// was subscribed, until `patience` is over.
#pragma once

#include <MQTTClient.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"

namespace leat::fleet {

struct DeskSetup {
  std::string url;  // mqtt:// or mqtts://
  std::string user = {};
  std::string password = {};
  // Files in PEM; "" for none. Without `ca` the system's certificates are used.
  std::string ca = {};
  std::string cert = {};
  std::string key = {};
  Milliseconds patience{60'000};  // for a broker that is away
};

struct Message {
  std::string topic;
  std::string payload;
};

class Desk {
 public:
  static Result<std::unique_ptr<Desk>> connect(const Clock& clock, DeskSetup setup);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // With QoS 1. Errors are kUnavailable, as are those of all calls, or kUsage when the broker
  // refuses.
  Status subscribe(std::vector<std::string> topics);
  // With QoS 1; returns when the broker has it.
  Status publish(const std::string& topic, const std::string& payload);
  // Waits for the next one; nothing when none comes in time.
  Result<std::optional<Message>> next(Milliseconds at_most);

 private:
  Desk(const Clock& clock, DeskSetup setup) : clock_(clock), setup_(std::move(setup)) {}

  Status open();
  Status try_once();
  Status connect_again();
  Status subscribe_again();

  const Clock& clock_;
  const DeskSetup setup_;
  MQTTClient client_ = nullptr;
  std::vector<std::string> topics_;
};

}  // namespace leat::fleet
