#include "protocols/mqtt/packets.h"

#include <initializer_list>

#include "base/text.h"

namespace leat::mqtt {
namespace {

// Reads the data types of [MQTT5 §1.5]. After a read beyond the end, good() is false and everything
// reads as zero or empty.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::string_view take(size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      rest_ = {};
      return {};
    }
    std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  uint32_t number(size_t bytes) {
    uint32_t value = 0;
    for (char c : take(bytes)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  uint8_t byte() { return static_cast<uint8_t>(number(1)); }
  uint16_t word() { return static_cast<uint16_t>(number(2)); }
  // UTF-8 without U+0000 [MQTT-1.5.4-1, -2].
  std::string_view text() {
    std::string_view text = take(word());
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos) good_ = false;
    return text;
  }
  std::string_view binary() { return take(word()); }
  // In as few bytes as it takes [MQTT-1.5.5-1].
  uint32_t variable() {
    uint32_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      uint8_t next = byte();
      value |= static_cast<uint32_t>(next & 0x7F) << shift;
      if ((next & 0x80) != 0) continue;
      if (next == 0 && shift > 0) good_ = false;
      return value;
    }
    good_ = false;
    return 0;
  }
  void spoil() { good_ = false; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

// Identifiers of subscriptions that are taken from one message.
constexpr size_t kMostSubscriptions = 100;

// How a property is written [MQTT5 §2.2.2.2, table 2-4].
enum class Kind { kByte, kWord, kLong, kVariable, kText, kBinary, kPair, kUnknown };

Kind kind_of(uint8_t id) {
  switch (id) {
    case 0x01:
    case 0x17:
    case 0x19:
    case 0x24:
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2A:
      return Kind::kByte;
    case 0x13:
    case 0x21:
    case 0x22:
    case 0x23:
      return Kind::kWord;
    case 0x02:
    case 0x11:
    case 0x18:
    case 0x27:
      return Kind::kLong;
    case 0x0B:
      return Kind::kVariable;
    case 0x03:
    case 0x08:
    case 0x12:
    case 0x15:
    case 0x1A:
    case 0x1C:
    case 0x1F:
      return Kind::kText;
    case 0x09:
    case 0x16:
      return Kind::kBinary;
    case 0x26:
      return Kind::kPair;
    default:
      return Kind::kUnknown;
  }
}

struct PropertyValue {
  uint8_t id = 0;
  uint32_t number = 0;
  std::string_view text;
  std::string_view second;  // of a pair
};

PropertyValue read_property(Cursor& in) {
  PropertyValue out;
  out.id = in.byte();
  switch (kind_of(out.id)) {
    case Kind::kByte:
      out.number = in.byte();
      break;
    case Kind::kWord:
      out.number = in.word();
      break;
    case Kind::kLong:
      out.number = in.number(4);
      break;
    case Kind::kVariable:
      out.number = in.variable();
      break;
    case Kind::kText:
      out.text = in.text();
      break;
    case Kind::kBinary:
      out.text = in.binary();
      break;
    case Kind::kPair:
      out.text = in.text();
      out.second = in.text();
      break;
    case Kind::kUnknown:
      in.spoil();
      break;
  }
  return out;
}

// Which properties a broker may put into a packet [MQTT5 §2.2.2.2, table 2-4], as bits.
constexpr uint64_t bits(std::initializer_list<int> ids) {
  uint64_t out = 0;
  for (int id : ids) out |= uint64_t{1} << id;
  return out;
}
constexpr uint64_t kOfConnack = bits({0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22,
                                      0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A});
constexpr uint64_t kOfPublish = bits({0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26});
constexpr uint64_t kOfAck = bits({0x1F, 0x26});
constexpr uint64_t kOfDisconnect = bits({0x1C, 0x1F, 0x26});
constexpr uint64_t kMayRepeat = bits({0x0B, 0x26});
// Those that are 0 or 1, and those that must not be 0.
constexpr uint64_t kFlags = bits({0x01, 0x24, 0x25, 0x28, 0x29, 0x2A});
constexpr uint64_t kNotZero = bits({0x0B, 0x21, 0x23, 0x27});

bool valid(const PropertyValue& value, uint64_t allowed, uint64_t& seen) {
  const uint64_t bit = uint64_t{1} << (value.id & 63);
  if (value.id > 63 || (allowed & bit) == 0 || (seen & bit & ~kMayRepeat) != 0) return false;
  seen |= bit;
  if ((kFlags & bit) != 0 && value.number > 1) return false;
  return (kNotZero & bit) == 0 || value.number != 0;
}

Properties read_properties(Cursor& in, uint64_t allowed) {
  Properties out;
  out.text = in.take(in.variable());
  Cursor list(out.text);
  uint64_t seen = 0;
  while (!list.at_end()) {
    PropertyValue value = read_property(list);
    if (!valid(value, allowed, seen)) list.spoil();
    if (!list.good()) break;
    switch (static_cast<Property>(value.id)) {
      case Property::kSessionExpiry:
        out.session_expiry = value.number;
        break;
      case Property::kServerKeepAlive:
        out.server_keep_alive = static_cast<uint16_t>(value.number);
        break;
      case Property::kReceiveMaximum:
        out.receive_maximum = static_cast<uint16_t>(value.number);
        break;
      case Property::kMaximumQos:
        out.maximum_qos = static_cast<uint8_t>(value.number);
        break;
      case Property::kRetainAvailable:
        out.retain_available = value.number != 0;
        break;
      case Property::kSubscriptionIdentifiersAvailable:
        out.subscription_identifiers_available = value.number != 0;
        break;
      case Property::kWildcardAvailable:
        out.wildcard_available = value.number != 0;
        break;
      case Property::kSharedAvailable:
        out.shared_available = value.number != 0;
        break;
      case Property::kMaximumPacketSize:
        out.maximum_packet_size = value.number;
        break;
      case Property::kTopicAlias:
        out.topic_alias = static_cast<uint16_t>(value.number);
        break;
      case Property::kSubscriptionIdentifier:
        if (out.subscriptions.size() < kMostSubscriptions)
          out.subscriptions.push_back(value.number);
        break;
      case Property::kUserProperty:
        ++out.user_properties;
        break;
      case Property::kContentType:
        out.content_type = value.text;
        break;
      case Property::kResponseTopic:
        out.response_topic = value.text;
        break;
      case Property::kCorrelationData:
        out.correlation_data = value.text;
        break;
      case Property::kAssignedClientId:
        out.assigned_client_id = value.text;
        break;
      case Property::kServerReference:
        out.server_reference = value.text;
        break;
      case Property::kReason:
        out.reason = value.text;
        break;
      default:
        break;  // nothing that matters to leat
    }
  }
  if (!list.good()) in.spoil();
  return out;
}

tl::unexpected<Error> malformed(const char* packet) {
  return fail(ErrorKind::kData, std::string("a malformed ") + packet + " packet");
}

const char* name_of(PacketType type) {
  switch (type) {
    case PacketType::kPuback:
      return "PUBACK";
    case PacketType::kPubrec:
      return "PUBREC";
    case PacketType::kPubrel:
      return "PUBREL";
    case PacketType::kPubcomp:
      return "PUBCOMP";
    case PacketType::kUnsuback:
      return "UNSUBACK";
    default:
      return "SUBACK";
  }
}

// Not find_first_of(), which looks up each byte with a call: a fifth of what a message costs.
bool has_wildcard(std::string_view topic) {
  return topic.find('+') != std::string_view::npos || topic.find('#') != std::string_view::npos;
}

}  // namespace

Result<Connack> read_connack(const Frame& frame, Version version) {
  Cursor in(frame.body);
  Connack out;
  const uint8_t flags = in.byte();
  out.session_present = (flags & 1) != 0;
  out.reason = in.byte();
  // A broker that knows only 3.1.1 refuses a CONNECT of MQTT 5 in its own form, without properties
  // [MQTT5 §3.2.2.2, appendix].
  if (version == Version::k5 && !in.at_end()) out.properties = read_properties(in, kOfConnack);
  // [MQTT-2.2.2-2], [MQTT-3.2.2-1]; a refusal has no session [MQTT-3.2.2-4 of 3.1.1, -6 of 5].
  const bool good = frame.flags == 0 && (flags & ~1) == 0 && in.at_end() &&
                    (out.reason == 0 || !out.session_present);
  if (!in.good() || !good) return malformed("CONNACK");
  return out;
}

Result<Publish> read_publish(const Frame& frame, Version version) {
  Cursor in(frame.body);
  Publish out;
  out.qos = frame.flags >> 1 & 3;
  out.retained = (frame.flags & 1) != 0;
  out.redelivered = (frame.flags & 8) != 0;
  out.size = frame.size;
  out.cut = frame.cut;
  out.topic = in.take(in.word());
  if (out.qos > 0) out.id = in.word();
  // QoS 3 does not exist [MQTT-3.3.1-4], QoS 0 is not sent again [MQTT-3.3.1-2], and 0 is no packet
  // identifier [MQTT5 §2.2.1].
  if (!in.good() || out.qos == 3 || (out.qos > 0 && out.id == 0) ||
      (out.qos == 0 && out.redelivered))
    return malformed("PUBLISH");
  if (!is_utf8(out.topic)) out.bad_topic = "the topic is not UTF-8";  // [MQTT-1.5.4-1]
  if (out.topic.find('\0') != std::string_view::npos)                 // [MQTT-1.5.4-2]
    out.bad_topic = "the topic has a null character in it";
  if (has_wildcard(out.topic)) out.bad_topic = "the topic has a wildcard in it";  // [MQTT-3.3.2-2]
  if (out.cut && !out.topic.empty()) return out;
  if (version == Version::k5 && !out.cut) out.properties = read_properties(in, kOfPublish);
  if (!in.good()) return malformed("PUBLISH");
  // leat announces Topic Alias Maximum 0 by its absence [MQTT5 §3.3.2.3.4].
  if (out.properties.topic_alias != 0)
    return fail(ErrorKind::kData, "a topic alias, which was not offered");
  if (out.topic.empty()) return fail(ErrorKind::kData, "a PUBLISH without a topic");
  out.payload = in.rest();
  return out;
}

Result<Ack> read_ack(const Frame& frame, Version version) {
  Cursor in(frame.body);
  Ack out;
  out.type = frame.type;
  out.id = in.word();
  // The reason may be left out when it is 0, and the properties when there are none
  // [MQTT5 §3.4.2.1, §3.4.2.2.1].
  if (version == Version::k5 && !in.at_end()) out.reason = in.byte();
  if (version == Version::k5 && !in.at_end()) out.text = read_properties(in, kOfAck).reason;
  // The reserved flags [MQTT-2.2.2-2], [MQTT-3.6.1-1].
  const uint8_t flags = frame.type == PacketType::kPubrel ? 2 : 0;
  if (!in.good() || !in.at_end() || out.id == 0 || frame.flags != flags)
    return malformed(name_of(frame.type));
  return out;
}

Result<Suback> read_suback(const Frame& frame, Version version) {
  Cursor in(frame.body);
  Suback out;
  out.id = in.word();
  if (version == Version::k5) out.text = read_properties(in, kOfAck).reason;
  out.reasons = in.rest();
  bool good = in.good() && out.id != 0 && frame.flags == 0;
  if (frame.type == PacketType::kSuback) {
    // [MQTT-3.9.3-2] of 3.1.1; in 5 all refusals are above 0x80.
    for (char c : out.reasons) {
      auto reason = static_cast<uint8_t>(c);
      good = good && (reason <= 2 || (version == Version::k5 ? reason >= 0x80 : reason == 0x80));
    }
  } else if (version == Version::k311) {
    good = good && out.reasons.empty();
  }
  if (!good) return malformed(name_of(frame.type));
  return out;
}

Status check_pingresp(const Frame& frame) {
  if (frame.flags != 0 || !frame.body.empty()) return malformed("PINGRESP");
  return {};
}

Result<Disconnect> read_disconnect(const Frame& frame, Version version) {
  Cursor in(frame.body);
  Disconnect out;
  if (version == Version::k5 && !in.at_end()) out.reason = in.byte();
  if (version == Version::k5 && !in.at_end()) out.properties = read_properties(in, kOfDisconnect);
  if (!in.good() || !in.at_end() || frame.flags != 0) return malformed("DISCONNECT");
  return out;
}

void each_text_property(
    std::string_view properties,
    const std::function<void(Property, std::string_view, std::string_view)>& f) {
  Cursor in(properties);
  while (!in.at_end()) {
    PropertyValue value = read_property(in);
    if (!in.good()) return;
    const Kind kind = kind_of(value.id);
    if (kind == Kind::kText || kind == Kind::kPair)
      f(static_cast<Property>(value.id), value.text, value.second);
  }
}

}  // namespace leat::mqtt
