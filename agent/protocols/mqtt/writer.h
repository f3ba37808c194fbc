// Makes the control packets that leat sends. Each function appends one whole packet to `out`.
//
// Pure. Texts must be at most kLongestText bytes; options are checked for that when they are read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocols/mqtt/protocol.h"

namespace leat::mqtt {

struct Will {  // [MQTT5 §3.1.3.2]
  std::string topic;
  std::string payload;
  uint8_t qos = 0;
  bool retain = false;
};

struct ConnectPacket {  // [MQTT5 §3.1]
  Version version = Version::k5;
  std::string client_id;
  bool clean_start = false;
  uint16_t keep_alive = 60;      // seconds; 0: none
  uint32_t session_expiry = 0;   // seconds after the connection is closed; MQTT 5 only
  uint16_t receive_maximum = 0;  // 0: not said; MQTT 5 only
  std::string user;              // "": none
  std::string password;          // "": none
  std::optional<Will> will;
};
void append_connect(std::string& out, const ConnectPacket& connect);

struct PublishHead {
  std::string_view topic;
  uint8_t qos = 0;
  bool retain = false;
  uint16_t id = 0;                         // with QoS 1 and 2
  uint32_t message_expiry = 0;             // seconds; 0: none; MQTT 5 only
  std::string_view content_type = {};      // MQTT 5 only
  std::string_view correlation_data = {};  // of a response; MQTT 5 only
};
// Bytes of the whole packet with a payload of `payload` bytes, to compare with the broker's limit.
size_t publish_size(Version version, const PublishHead& head, size_t payload);
void append_publish(std::string& out, Version version, const PublishHead& head,
                    std::string_view payload);

// PUBACK, PUBREC, PUBREL or PUBCOMP. A reason other than success is only told to MQTT 5.
void append_ack(std::string& out, Version version, PacketType type, uint16_t id,
                uint8_t reason = kSuccess);

// What is asked for with each filter of a SUBSCRIBE.
struct SubscribeOptions {
  uint8_t qos = 1;
  bool retain_as_published = false;  // MQTT 5 only
  uint32_t identifier = 0;           // 0: none; MQTT 5 only
  // MQTT 5 only. 1: retained messages come only where the subscription is new; 2: none come
  // [MQTT5 §3.8.3.1].
  uint8_t retain_handling = 1;
};
void append_subscribe(std::string& out, Version version, uint16_t id,
                      std::span<const std::string> filters, const SubscribeOptions& options);
// Bytes of that packet; those of an UNSUBSCRIBE are fewer.
size_t subscribe_size(Version version, std::span<const std::string> filters,
                      const SubscribeOptions& options);
void append_unsubscribe(std::string& out, Version version, uint16_t id,
                        std::span<const std::string> filters);
void append_pingreq(std::string& out);
void append_disconnect(std::string& out, Version version, uint8_t reason);

}  // namespace leat::mqtt
