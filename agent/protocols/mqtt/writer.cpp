#include "protocols/mqtt/writer.h"

namespace leat::mqtt {
namespace {

void put_byte(std::string& out, unsigned value) {
  out += static_cast<char>(value);
}

void put_word(std::string& out, unsigned value) {
  put_byte(out, value >> 8 & 0xFF);
  put_byte(out, value & 0xFF);
}

void put_long(std::string& out, uint32_t value) {
  put_word(out, value >> 16);
  put_word(out, value & 0xFFFF);
}

void put_text(std::string& out, std::string_view text) {
  put_word(out, static_cast<unsigned>(text.size()));
  out += text;
}

size_t variable_size(size_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

void put_variable(std::string& out, size_t value) {
  while (value >= 128) {
    put_byte(out, (value & 0x7F) | 0x80);
    value >>= 7;
  }
  put_byte(out, static_cast<unsigned>(value));
}

void put_property(std::string& out, Property property) {
  put_byte(out, static_cast<unsigned>(property));
}

void put_packet(std::string& out, PacketType type, unsigned flags, std::string_view body) {
  put_byte(out, static_cast<unsigned>(type) << 4 | flags);
  put_variable(out, body.size());
  out += body;
}

// Bytes of the properties of a PUBLISH.
size_t publish_properties(const PublishHead& head) {
  return (head.message_expiry > 0 ? 5 : 0) +
         (head.content_type.empty() ? 0 : 3 + head.content_type.size()) +
         (head.correlation_data.empty() ? 0 : 3 + head.correlation_data.size());
}

size_t publish_length(Version version, const PublishHead& head, size_t payload) {
  size_t length = 2 + head.topic.size() + (head.qos > 0 ? 2 : 0) + payload;
  if (version == Version::k5) {
    size_t properties = publish_properties(head);
    length += variable_size(properties) + properties;
  }
  return length;
}

}  // namespace

void append_connect(std::string& out, const ConnectPacket& connect) {
  const bool v5 = connect.version == Version::k5;
  std::string body;
  put_text(body, "MQTT");
  put_byte(body, static_cast<unsigned>(connect.version));
  unsigned flags = connect.clean_start ? 0x02 : 0;
  if (connect.will)
    flags |=
        0x04U | static_cast<unsigned>(connect.will->qos) << 3 | (connect.will->retain ? 0x20U : 0U);
  if (!connect.password.empty()) flags |= 0x40;
  // 3.1.1 allows a password only together with a user [MQTT-3.1.2-22].
  if (!connect.user.empty() || (!v5 && !connect.password.empty())) flags |= 0x80;
  put_byte(body, flags);
  put_word(body, connect.keep_alive);
  if (v5) {
    std::string properties;
    if (connect.session_expiry > 0) {
      put_property(properties, Property::kSessionExpiry);
      put_long(properties, connect.session_expiry);
    }
    if (connect.receive_maximum > 0) {
      put_property(properties, Property::kReceiveMaximum);
      put_word(properties, connect.receive_maximum);
    }
    put_variable(body, properties.size());
    body += properties;
  }
  put_text(body, connect.client_id);
  if (connect.will) {
    if (v5) put_variable(body, 0);
    put_text(body, connect.will->topic);
    put_text(body, connect.will->payload);
  }
  if ((flags & 0x80) != 0) put_text(body, connect.user);
  if ((flags & 0x40) != 0) put_text(body, connect.password);
  put_packet(out, PacketType::kConnect, 0, body);
}

size_t publish_size(Version version, const PublishHead& head, size_t payload) {
  size_t length = publish_length(version, head, payload);
  return 1 + variable_size(length) + length;
}

void append_publish(std::string& out, Version version, const PublishHead& head,
                    std::string_view payload) {
  put_byte(out, static_cast<unsigned>(PacketType::kPublish) << 4 |
                    static_cast<unsigned>(head.qos) << 1 | (head.retain ? 1U : 0U));
  put_variable(out, publish_length(version, head, payload.size()));
  put_text(out, head.topic);
  if (head.qos > 0) put_word(out, head.id);
  if (version == Version::k5) {
    put_variable(out, publish_properties(head));
    if (head.message_expiry > 0) {
      put_property(out, Property::kMessageExpiry);
      put_long(out, head.message_expiry);
    }
    if (!head.content_type.empty()) {
      put_property(out, Property::kContentType);
      put_text(out, head.content_type);
    }
    if (!head.correlation_data.empty()) {
      put_property(out, Property::kCorrelationData);
      put_text(out, head.correlation_data);
    }
  }
  out += payload;
}

void append_ack(std::string& out, Version version, PacketType type, uint16_t id, uint8_t reason) {
  const bool told = version == Version::k5 && reason != kSuccess;
  // PUBREL has the reserved flags 0010 [MQTT-3.6.1-1].
  put_byte(out, static_cast<unsigned>(type) << 4 | (type == PacketType::kPubrel ? 2U : 0U));
  put_byte(out, told ? 3 : 2);
  put_word(out, id);
  if (told) put_byte(out, reason);
}

void append_subscribe(std::string& out, Version version, uint16_t id,
                      std::span<const std::string> filters, const SubscribeOptions& options) {
  // QoS in bits 0 and 1, No Local bit 2, Retain As Published bit 3, Retain Handling bits 4 and 5.
  const bool v5 = version == Version::k5;
  const unsigned flags = v5 ? options.qos | (options.retain_as_published ? 1U << 3 : 0U) |
                                  static_cast<unsigned>(options.retain_handling) << 4
                            : options.qos;
  std::string body;
  put_word(body, id);
  if (v5) {
    std::string properties;
    if (options.identifier > 0) {
      put_property(properties, Property::kSubscriptionIdentifier);
      put_variable(properties, options.identifier);
    }
    put_variable(body, properties.size());
    body += properties;
  }
  for (const std::string& filter : filters) {
    put_text(body, filter);
    put_byte(body, flags);
  }
  put_packet(out, PacketType::kSubscribe, 2, body);
}

size_t subscribe_size(Version version, std::span<const std::string> filters,
                      const SubscribeOptions& options) {
  size_t length = 2;
  if (version == Version::k5)
    length += 1 + (options.identifier > 0 ? 1 + variable_size(options.identifier) : 0);
  for (const std::string& filter : filters) length += 2 + filter.size() + 1;
  return 1 + variable_size(length) + length;
}

void append_unsubscribe(std::string& out, Version version, uint16_t id,
                        std::span<const std::string> filters) {
  std::string body;
  put_word(body, id);
  if (version == Version::k5) put_variable(body, 0);
  for (const std::string& filter : filters) put_text(body, filter);
  put_packet(out, PacketType::kUnsubscribe, 2, body);
}

void append_pingreq(std::string& out) {
  put_packet(out, PacketType::kPingreq, 0, {});
}

void append_disconnect(std::string& out, Version version, uint8_t reason) {
  char byte = static_cast<char>(reason);
  // Reason 0 may be left out [MQTT5 §3.14.2.1]; 3.1.1 has none.
  bool told = version == Version::k5 && reason != kSuccess;
  put_packet(out, PacketType::kDisconnect, 0, told ? std::string_view(&byte, 1) : "");
}

}  // namespace leat::mqtt
