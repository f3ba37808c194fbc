// Packets as a broker sends them, and what is read of them, in words; packets as they are written.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "protocols/mqtt/framer.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/topic.h"
#include "protocols/mqtt/writer.h"

namespace leat::mqtt {

inline std::string hex(std::string_view bytes) {
  std::string out;
  char text[3];
  for (char c : bytes) {
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(static_cast<uint8_t>(c)));
    out += text;
  }
  return out;
}

inline std::string shown(const Connack& connack) {
  return "CONNACK session " + std::to_string(connack.session_present ? 1 : 0) + " reason " +
         std::to_string(connack.reason);
}
inline std::string shown(const Publish& publish) {
  if (!publish.bad_topic.empty()) return std::string(publish.bad_topic);
  return "PUBLISH qos " + std::to_string(publish.qos) + " id " + std::to_string(publish.id) +
         (publish.redelivered ? " again" : "") + (publish.retained ? " retained " : " ") +
         std::string(publish.topic) + "=" + std::string(publish.payload);
}
inline std::string shown(const Ack& ack) {
  return "id " + std::to_string(ack.id) + " reason " + std::to_string(ack.reason);
}
inline std::string shown(const Suback& suback) {
  return "id " + std::to_string(suback.id) + " reasons " + hex(suback.reasons);
}
inline std::string shown(const Disconnect& disconnect) {
  return "DISCONNECT reason " + std::to_string(disconnect.reason);
}

template <typename Packet>
std::string shown_or_error(const Result<Packet>& packet) {
  return packet ? shown(*packet) : packet.error().message();
}

inline std::string read_frame(const Frame& frame, Version version) {
  switch (frame.type) {
    case PacketType::kConnack:
      return shown_or_error(read_connack(frame, version));
    case PacketType::kPublish:
      return shown_or_error(read_publish(frame, version));
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      return shown_or_error(read_ack(frame, version));
    case PacketType::kSuback:
    case PacketType::kUnsuback:
      return shown_or_error(read_suback(frame, version));
    case PacketType::kPingresp: {
      Status status = check_pingresp(frame);
      return status ? "PINGRESP" : status.error().message();
    }
    case PacketType::kDisconnect:
      return shown_or_error(read_disconnect(frame, version));
    default:
      return "a packet that a broker does not send";
  }
}

// Each packet in the bytes, read byte by byte; "more" when the last is not complete.
inline std::string read(std::string_view bytes, Version version) {
  std::string out;
  bool complete = false;
  Framer framer(1 << 20, [&](const Frame& frame) -> Result<bool> {
    if (!out.empty()) out += ", ";
    out += read_frame(frame, version);
    complete = true;
    return true;
  });
  for (const char& byte : bytes) {
    complete = false;
    if (Status status = framer.feed({&byte, 1}); !status) return status.error().message();
  }
  return complete ? out : out + (out.empty() ? "more" : ", more");
}

inline std::string connect_packet(const ConnectPacket& connect) {
  std::string out;
  append_connect(out, connect);
  return out;
}
inline std::string publish_packet(Version version, const PublishHead& head,
                                  std::string_view payload) {
  std::string out;
  append_publish(out, version, head, payload);
  return out;
}
inline std::string ack_packet(Version version, PacketType type, uint16_t id,
                              uint8_t reason = kSuccess) {
  std::string out;
  append_ack(out, version, type, id, reason);
  return out;
}
inline std::string subscribe_packet(Version version, uint16_t id,
                                    const std::vector<std::string>& filters,
                                    const SubscribeOptions& options) {
  std::string out;
  append_subscribe(out, version, id, filters, options);
  return out;
}
inline std::string unsubscribe_packet(Version version, uint16_t id,
                                      const std::vector<std::string>& filters) {
  std::string out;
  append_unsubscribe(out, version, id, filters);
  return out;
}
inline std::string pingreq_packet() {
  std::string out;
  append_pingreq(out);
  return out;
}
inline std::string disconnect_packet(Version version, uint8_t reason) {
  std::string out;
  append_disconnect(out, version, reason);
  return out;
}

// "" or what is wrong with it.
inline std::string filter_error(std::string_view filter) {
  Status status = check_filter(filter);
  return status ? "" : status.error().message();
}
inline std::string topic_error(std::string_view topic) {
  Status status = check_topic(topic);
  return status ? "" : status.error().message();
}

}  // namespace leat::mqtt
