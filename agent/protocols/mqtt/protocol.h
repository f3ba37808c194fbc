// Numbers of MQTT 3.1.1 (OASIS Standard, 29 October 2014) and MQTT 5.0 (OASIS Standard, 7 March
// 2019), and what both versions share. Sections are cited as [MQTT-3.1.1 §…] and [MQTT5 §…].
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::mqtt {

// The protocol level of CONNECT ([MQTT-3.1.1 §3.1.2.2], [MQTT5 §3.1.2.2]).
enum class Version : uint8_t { k311 = 4, k5 = 5 };

// [MQTT5 §2.1.2], the same in 3.1.1 but for AUTH.
enum class PacketType : uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPubrec = 5,
  kPubrel = 6,
  kPubcomp = 7,
  kSubscribe = 8,
  kSuback = 9,
  kUnsubscribe = 10,
  kUnsuback = 11,
  kPingreq = 12,
  kPingresp = 13,
  kDisconnect = 14,
  kAuth = 15,
};

// [MQTT5 §2.2.2.2]; only those that leat writes or reads.
enum class Property : uint8_t {
  kMessageExpiry = 0x02,
  kContentType = 0x03,
  kResponseTopic = 0x08,
  kCorrelationData = 0x09,
  kSubscriptionIdentifier = 0x0B,
  kSessionExpiry = 0x11,
  kAssignedClientId = 0x12,
  kServerKeepAlive = 0x13,
  kServerReference = 0x1C,
  kReason = 0x1F,
  kReceiveMaximum = 0x21,
  kTopicAliasMaximum = 0x22,
  kTopicAlias = 0x23,
  kMaximumQos = 0x24,
  kRetainAvailable = 0x25,
  kUserProperty = 0x26,
  kMaximumPacketSize = 0x27,
  kWildcardAvailable = 0x28,
  kSubscriptionIdentifiersAvailable = 0x29,
  kSharedAvailable = 0x2A,
};

// Reason codes of MQTT 5 [MQTT5 §2.4] that leat treats in a way of their own.
constexpr uint8_t kSuccess = 0x00;
constexpr uint8_t kUnspecified = 0x80;
constexpr uint8_t kMalformedPacket = 0x81;
constexpr uint8_t kProtocolError = 0x82;
constexpr uint8_t kImplementationSpecific = 0x83;
constexpr uint8_t kUnsupportedVersion = 0x84;
constexpr uint8_t kClientIdNotValid = 0x85;
constexpr uint8_t kBadUserOrPassword = 0x86;
constexpr uint8_t kNotAuthorized = 0x87;
constexpr uint8_t kSessionTakenOver = 0x8E;
constexpr uint8_t kTopicFilterInvalid = 0x8F;
constexpr uint8_t kTopicNameInvalid = 0x90;
constexpr uint8_t kPacketIdNotFound = 0x92;
constexpr uint8_t kReceiveMaximumExceeded = 0x93;
constexpr uint8_t kPacketTooLarge = 0x95;
constexpr uint8_t kPayloadFormatInvalid = 0x99;
constexpr uint8_t kSharedNotSupported = 0x9E;
constexpr uint8_t kWildcardsNotSupported = 0xA2;

constexpr size_t kLongestText = 65'535;         // of a string or of binary data [MQTT5 §1.5.4]
constexpr size_t kLongestPacket = 268'435'455;  // after the fixed header [MQTT5 §2.1.4]
constexpr uint16_t kMostInFlight = 65'535;      // packet identifiers [MQTT5 §2.2.1]

}  // namespace leat::mqtt
