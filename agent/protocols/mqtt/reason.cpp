#include "protocols/mqtt/reason.h"

#include <array>

#include "base/hex.h"
#include "base/text.h"

namespace leat::mqtt {

std::string reason_text(uint8_t reason) {
  switch (reason) {
    case 0x00:
      return "success";
    case 0x04:
      return "disconnect with will";
    case 0x80:
      return "unspecified error";
    case kMalformedPacket:
      return "malformed packet";
    case kProtocolError:
      return "protocol error";
    case 0x83:
      return "implementation specific error";
    case kUnsupportedVersion:
      return "unsupported protocol version";
    case kClientIdNotValid:
      return "client identifier not valid";
    case kBadUserOrPassword:
      return "bad user name or password";
    case kNotAuthorized:
      return "not authorised";
    case 0x88:
      return "server unavailable";
    case 0x89:
      return "server busy";
    case 0x8A:
      return "banned";
    case 0x8B:
      return "server shutting down";
    case 0x8C:
      return "bad authentication method";
    case 0x8D:
      return "keep alive timeout";
    case kSessionTakenOver:
      return "session taken over";
    case kTopicFilterInvalid:
      return "topic filter invalid";
    case kTopicNameInvalid:
      return "topic name invalid";
    case 0x91:
      return "packet identifier in use";
    case kPacketIdNotFound:
      return "packet identifier not found";
    case kReceiveMaximumExceeded:
      return "receive maximum exceeded";
    case 0x94:
      return "topic alias invalid";
    case kPacketTooLarge:
      return "packet too large";
    case 0x96:
      return "message rate too high";
    case 0x97:
      return "quota exceeded";
    case 0x98:
      return "administrative action";
    case kPayloadFormatInvalid:
      return "payload format invalid";
    case 0x9A:
      return "retain not supported";
    case 0x9B:
      return "QoS not supported";
    case 0x9C:
      return "use another server";
    case 0x9D:
      return "server moved";
    case kSharedNotSupported:
      return "shared subscriptions not supported";
    case 0x9F:
      return "connection rate exceeded";
    case 0xA0:
      return "maximum connect time";
    case 0xA1:
      return "subscription identifiers not supported";
    case kWildcardsNotSupported:
      return "wildcard subscriptions not supported";
    default:
      break;
  }
  std::string text = "reason code 0x";
  append_hex(text, reason);
  return text;
}

uint8_t reason_of_return_code(uint8_t code) {
  static constexpr std::array<uint8_t, 6> kReasons = {
      kSuccess, kUnsupportedVersion, kClientIdNotValid, 0x88, kBadUserOrPassword, kNotAuthorized};
  // 6 to 255 are reserved; a broker of MQTT 5 may have answered in its own codes.
  return code < kReasons.size() ? kReasons[code] : code;
}

std::string_view connect_hint(uint8_t reason) {
  switch (reason) {
    case kUnsupportedVersion:
      return " (check \"version\")";
    case kClientIdNotValid:
      return " (set another \"clientId\")";
    case kBadUserOrPassword:
      return " (check \"user\" and \"password\")";
    case kNotAuthorized:
      return " (check \"user\", \"password\" and what the broker permits this client)";
    case 0x9C:
    case 0x9D:
      return " (check \"url\")";
    default:
      return "";
  }
}

std::string broker_words(std::string_view text) {
  return text.empty() ? "" : ": " + excerpt(text, 120);
}

}  // namespace leat::mqtt
