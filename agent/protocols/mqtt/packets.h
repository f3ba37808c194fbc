// What MQTT control packets mean: bytes of one packet to a struct. Strict: what both specifications
// call malformed or a protocol error is one, but for what PROTOCOL.md lists, with why.
//
// Pure. Text points into the packet's body and is valid as long as that. Errors are kData and say
// what is wrong; the connection is to be closed then [MQTT5 §4.13], [MQTT-3.1.1 §4.8].
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/mqtt/framer.h"
#include "protocols/mqtt/protocol.h"

namespace leat::mqtt {

// Properties of MQTT 5 [MQTT5 §2.2.2]; the defaults are those of an absent property.
struct Properties {
  std::optional<uint32_t> session_expiry;     // seconds
  std::optional<uint16_t> server_keep_alive;  // seconds
  uint16_t receive_maximum = kMostInFlight;
  uint8_t maximum_qos = 2;
  bool retain_available = true;
  bool wildcard_available = true;
  bool shared_available = true;
  bool subscription_identifiers_available = true;
  uint32_t maximum_packet_size = UINT32_MAX;
  uint16_t topic_alias = 0;
  size_t user_properties = 0;  // how many
  std::string_view assigned_client_id;
  std::string_view content_type;      // of a PUBLISH
  std::string_view response_topic;    // of a PUBLISH: where its sender wants the answer, and
  std::string_view correlation_data;  // what is to come with it
  std::string_view server_reference;
  std::string_view reason;
  std::string_view text;                // all of them, as they came
  std::vector<uint32_t> subscriptions;  // identifiers of those that the message is for
};

// [MQTT5 §3.2]
struct Connack {
  bool session_present = false;
  uint8_t reason = 0;  // of 3.1.1: the return code of [MQTT-3.1.1 §3.2.2.3]
  Properties properties;
};

// [MQTT5 §3.3]
struct Publish {
  std::string_view topic;
  std::string_view payload;
  uint8_t qos = 0;
  bool retained = false;
  bool redelivered = false;  // DUP
  uint16_t id = 0;           // 0 with QoS 0
  Properties properties;
  size_t size = 0;   // of the whole packet
  bool cut = false;  // it was too large: no payload, no properties
  // Why its topic is none ("" when it is one): the packet is malformed, but what it is can be told.
  std::string_view bad_topic;
};

// PUBACK, PUBREC, PUBREL, PUBCOMP [MQTT5 §3.4 to §3.7]
struct Ack {
  PacketType type = PacketType::kPuback;
  uint16_t id = 0;
  uint8_t reason = 0;
  std::string_view text;  // the broker's words, for people
};

// SUBACK, UNSUBACK [MQTT5 §3.9, §3.11]
struct Suback {
  uint16_t id = 0;
  std::string_view reasons;  // a byte for each filter
  std::string_view text;
};

// [MQTT5 §3.14]; a broker of 3.1.1 sends none.
struct Disconnect {
  uint8_t reason = 0;
  Properties properties;
};

Result<Connack> read_connack(const Frame& frame, Version version);
Result<Publish> read_publish(const Frame& frame, Version version);
Result<Ack> read_ack(const Frame& frame, Version version);
Status check_pingresp(const Frame& frame);
Result<Suback> read_suback(const Frame& frame, Version version);
Result<Disconnect> read_disconnect(const Frame& frame, Version version);

// Calls f(which, text, value) for each property that is a text (or, with `value`, a pair of them)
// of properties that were read without an error.
void each_text_property(std::string_view properties,
                        const std::function<void(Property, std::string_view, std::string_view)>& f);

}  // namespace leat::mqtt
