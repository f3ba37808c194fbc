// The statements of MQTT 5 (its appendix B) by their numbers: what is read, what is written, and
// where the rest is asked. What closes a connection is asked at the source, too
// (connector_mqtt/statements_test.cpp), and what is left out, and why, is in PROTOCOL.md.
#include <gtest/gtest.h>

#include "packet_script.h"
#include "specification.h"

namespace leat::mqtt {
namespace {

using namespace std::string_literals;
using Type = PacketType;

constexpr const char* kInbox = "asked in inbox_test.cpp";
constexpr const char* kSource = "asked in connector_mqtt/source_test.cpp";
constexpr const char* kSink = "asked in connector_mqtt/sink_test.cpp";
constexpr const char* kSession = "asked in connector_mqtt/statements_test.cpp";
constexpr const char* kClose = "Session::close() says it last, and closes";
constexpr const char* kSameAs311 = "as in 3.1.1, asked in mqtt311_test.cpp";
constexpr const char* kNotSent = "leat sends none";
constexpr const char* kNoAuth = "there is no enhanced authentication";
constexpr const char* kNoWebSocket = "there is no WebSocket";

// Of the server alone: 2.2.1-4, 3.1.0-2, 3.1.2-1 to -3, -5 to -8, -10, -14, -15, -22, -24 to -29,
// 3.1.3-5 to -9, 3.1.4-1 to -6, 3.2.2-3, -7 to -10, -12, -13, -16, -19, -20, -22, 3.3.1-3,
// -5 to -13, 3.3.2-3 to -6, -12, -15 to -18, -20, 3.3.4-2 to -5, -9, -10, 3.8.3-5, 3.8.4-1,
// -3 to -5, -7, -8, 3.9.2-1, -2, 3.9.3-1, 3.10.4-1 to -6, 3.11.2-1,
// -2, 3.11.3-1, 3.12.4-1, 3.14.0-1, 3.14.4-3, 4.1.0-2, 4.5.0-1, 4.6.0-5, -6, 4.7.3-4, 4.8.2-3 to
// -6, 4.12.0-1, -2, -4, 4.13.1-1, 6.0.0-4.
constexpr Statement kStatements[] = {
    {"1.5.4-1", "texts are UTF-8, without surrogates"},
    {"1.5.4-2", "texts have no U+0000"},
    {"1.5.4-3", "U+FEFF is a character like any other, wherever it stands"},
    {"1.5.5-1", "numbers of variable length take as few bytes as they can"},
    {"1.5.7-1", "both texts of a pair are such texts"},
    {"2.1.2-0", "a broker does not send CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ"},
    {"2.1.3-1", "reserved flags have the values of table 2.2"},
    {"2.2.1-2", "QoS 0 has no identifier"},
    {"2.2.1-3", "a new packet has an identifier that is not 0, and not in use"},
    {"2.2.1-5", "an acknowledgement has the PUBLISH's"},
    {"2.2.1-6", "SUBACK and UNSUBACK have the request's", kSession},
    {"2.2.2-1", "no properties: a length of 0"},
    {"2.2.2-0", "a property is one of its packet, of a value that it may have, and there once"},
    {"3.1.0-1", "CONNECT comes first", "nothing is sent before CONNACK but that (Session::up)"},
    {"3.1.2-4", "Clean Start 1: what was before is discarded", kInbox},
    {"3.1.2-9", "a will has a topic and a message", kSameAs311},
    {"3.1.2-11", "without a will, its QoS is 0", kSameAs311},
    {"3.1.2-12", "the QoS of a will is 0, 1 or 2", kSameAs311},
    {"3.1.2-13", "without a will, its RETAIN is 0", kSameAs311},
    {"3.1.2-16", "flag of the user 0: none is there"},
    {"3.1.2-17", "flag of the user 1: one is there"},
    {"3.1.2-18", "flag of the password 0: none is there"},
    {"3.1.2-19", "flag of the password 1: one is there, also without a user"},
    {"3.1.2-20", "something is sent within each keep-alive time", kSource},
    {"3.1.2-21", "the broker's keep-alive counts", "asked in test_mqtt_hostile.py"},
    {"3.1.2-23", "a session with an expiry is kept, here, too", kSource},
    {"3.1.2-30", "with an Authentication Method, nothing but AUTH before CONNACK", kNoAuth},
    {"3.1.3-1", "client id, will, user, password, in this order"},
    {"3.1.3-2", "the client id is what the session is known by", kSource},
    {"3.1.3-3", "the client id is there, and first"},
    {"3.1.3-4", "the client id is UTF-8", "asked in connector_mqtt/options_test.cpp"},
    {"3.1.3-11", "the topic of a will is UTF-8", "asked in connector_mqtt/options_test.cpp"},
    {"3.1.3-12", "the user is UTF-8", "a configuration is"},
    {"3.2.0-1", "nothing but AUTH comes before CONNACK", kSession},
    {"3.2.0-2", "there is one CONNACK", kSession},
    {"3.2.2-1", "bits 7 to 1 of CONNACK's flags are 0"},
    {"3.2.2-2", "no session where a clean one was asked for", kSession},
    {"3.2.2-4", "a session that the client has not: close", "left out, see PROTOCOL.md"},
    {"3.2.2-5", "no session: the client discards its own", kInbox},
    {"3.2.2-6", "no session in a refusal"},
    {"3.2.2-11", "no PUBLISH above the Maximum QoS", kSink},
    {"3.2.2-14", "no RETAIN where it is not available", kSink},
    {"3.2.2-15", "nothing larger than the Maximum Packet Size", kSink},
    {"3.2.2-17", "no Topic Alias above the maximum", kNotSent},
    {"3.2.2-18", "no Topic Alias without a maximum", kNotSent},
    {"3.2.2-21", "the broker's keep-alive counts", "asked in test_mqtt_hostile.py"},
    {"3.3.1-1", "DUP on what is sent again",
     "the sink's session is a clean one: what was not acknowledged goes as a new message"},
    {"3.3.1-2", "no DUP with QoS 0"},
    {"3.3.1-4", "there is no QoS 3"},
    {"3.3.2-1", "the topic comes first, and is UTF-8"},
    {"3.3.2-2", "a topic has no wildcards"},
    {"3.3.2-7", "aliases end with the connection", "none is taken"},
    {"3.3.2-8", "a Topic Alias is not 0"},
    {"3.3.2-9", "no Topic Alias above the broker's maximum", kNotSent},
    {"3.3.2-10", "aliases up to the client's maximum are taken", "it is 0: none is"},
    {"3.3.2-11", "no Topic Alias above what the client has offered"},
    {"3.3.2-13", "a Response Topic is UTF-8"},
    {"3.3.2-14", "a Response Topic has no wildcards", "left out, see PROTOCOL.md"},
    {"3.3.2-19", "a Content Type is UTF-8"},
    {"3.3.4-1", "a PUBLISH is answered as its QoS asks", kInbox},
    {"3.3.4-6", "no Subscription Identifier in a client's PUBLISH"},
    {"3.3.4-7", "no more than Receive Maximum unacknowledged", kSink},
    {"3.3.4-8", "other packets are not delayed by that", kSource},
    {"3.4.2-1", "PUBACK has one of its codes"},
    {"3.5.2-1", "PUBREC has one of its codes"},
    {"3.6.1-1", "PUBREL has the flags 0010"},
    {"3.6.2-1", "PUBREL has one of its codes"},
    {"3.7.2-1", "PUBCOMP has one of its codes"},
    {"3.8.1-1", "SUBSCRIBE has the flags 0010"},
    {"3.8.3-1", "filters are UTF-8", kSameAs311},
    {"3.8.3-2", "a SUBSCRIBE has a filter or more"},
    {"3.8.3-3", "No Local", "not asked for"},
    {"3.8.3-4", "no No Local on a shared subscription"},
    {"3.8.4-2", "a SUBACK has the SUBSCRIBE's identifier", kSession},
    {"3.8.4-6", "a SUBACK has a code for each filter", kSession},
    {"3.9.3-2", "a SUBACK has codes of its table"},
    {"3.10.1-1", "UNSUBSCRIBE has the flags 0010"},
    {"3.10.3-1", "filters are UTF-8", kSameAs311},
    {"3.10.3-2", "an UNSUBSCRIBE has a filter or more"},
    {"3.11.3-2", "an UNSUBACK has codes of its table",
     "no code of it is used: it was asked to end"},
    {"3.12-0", "PINGREQ and PINGRESP have no body", kSameAs311},
    {"3.14.1-1", "reserved bits of DISCONNECT are 0"},
    {"3.14.2-1", "DISCONNECT has one of its codes"},
    {"3.14.2-2", "no Session Expiry in a broker's DISCONNECT"},
    {"3.14.4-1", "nothing is sent after DISCONNECT", kClose},
    {"3.14.4-2", "after DISCONNECT the connection is closed", kClose},
    {"3.15.1-1", "reserved flags of AUTH", kNoAuth},
    {"3.15.2-1", "codes of AUTH", kNoAuth},
    {"4.1.0-1", "a session's state is kept while the connection lasts", kInbox},
    {"4.2-1", "the transport is ordered and lossless", "TCP, TLS and Unix sockets are"},
    {"4.3.1-1", "QoS 0: sent with QoS 0, DUP 0"},
    {"4.3.2-1", "QoS 1: a new identifier for each message", kSink},
    {"4.3.2-2", "QoS 1: sent with DUP 0"},
    {"4.3.2-3", "QoS 1: unacknowledged until PUBACK", kSink},
    {"4.3.2-4", "QoS 1: PUBACK when it is owned", kInbox},
    {"4.3.2-5", "QoS 1: after PUBACK the identifier is a new message's", kInbox},
    {"4.3.3-1", "QoS 2: a new identifier for each message", kSink},
    {"4.3.3-2", "QoS 2: sent with DUP 0"},
    {"4.3.3-3", "QoS 2: unacknowledged until PUBREC", kSink},
    {"4.3.3-4", "QoS 2: PUBREL for PUBREC", kSink},
    {"4.3.3-5", "QoS 2: PUBREL is unacknowledged until PUBCOMP", kSink},
    {"4.3.3-6", "QoS 2: no PUBLISH again after PUBREL", kSink},
    {"4.3.3-7", "QoS 2: no expiry of what was sent", "the client expires nothing"},
    {"4.3.3-8", "QoS 2: PUBREC when it is owned", kInbox},
    {"4.3.3-9", "QoS 2: after a refusal the identifier is a new message's", "nothing is refused"},
    {"4.3.3-10", "QoS 2: PUBREC again, and no duplicate, until PUBREL", kInbox},
    {"4.3.3-11", "QoS 2: PUBCOMP for PUBREL", "asked in completions_test.cpp"},
    {"4.3.3-12", "QoS 2: after PUBCOMP the identifier is a new message's", kInbox},
    {"4.3.3-13", "QoS 2: expiry does not end the exchange", "the client expires nothing"},
    {"4.4.0-1", "sent again is only what a kept session has, when the connection is new", kSource},
    {"4.4.0-2", "what was refused is not sent again", kSink},
    {"4.5.0-2", "what is not used is acknowledged all the same", kSink},
    {"4.6.0-1", "what is sent again goes in the order of the first time", kSink},
    {"4.6.0-2", "PUBACKs go in the order of the PUBLISHes", kInbox},
    {"4.6.0-3", "PUBRECs go in the order of the PUBLISHes", kInbox},
    {"4.6.0-4", "PUBRELs go in the order of the PUBRECs", "each goes as its PUBREC is read"},
    {"4.7.0-1", "wildcards are for filters", kSameAs311},
    {"4.7.1-1", "# is a level of its own, and the last", kSameAs311},
    {"4.7.1-2", "+ is a level of its own", kSameAs311},
    {"4.7.2-1", "a wildcard at the start does not match $…", kSameAs311},
    {"4.7.3-1", "topics and filters have a character or more", kSameAs311},
    {"4.7.3-2", "they have no U+0000", kSameAs311},
    {"4.7.3-3", "they have at most 65,535 bytes", kSameAs311},
    {"4.8.2-1", "$share/ and a name of a character or more"},
    {"4.8.2-2", "no /, +, # in that name, and a / and a filter behind it"},
    {"4.9.0-1", "the quota begins with Receive Maximum at most", kSink},
    {"4.9.0-2", "no PUBLISH without quota", kSink},
    {"4.9.0-3", "the rest goes on without it", kSource},
    {"4.12.0-3", "AUTH is answered by AUTH", kNoAuth},
    {"4.12.0-5", "the method stays the same", kNoAuth},
    {"4.12.0-6", "no AUTH without a method", kSession},
    {"4.12.0-7", "no AUTH from a client without a method", kNotSent},
    {"4.12.1-1", "re-authentication", kNoAuth},
    {"4.12.1-2", "re-authentication that fails", kNoAuth},
    {"4.13.2-1", "a code of 0x80 or more closes the connection", kSession},
    {"6.0.0-1", "binary frames", kNoWebSocket},
    {"6.0.0-2", "packets and frames need not be aligned", kNoWebSocket},
    {"6.0.0-3", "the subprotocol is offered", kNoWebSocket},
};

struct Read {
  std::string_view statement;
  std::string bytes;
  std::string expected;
};

const std::string kBadPublish = "a malformed PUBLISH packet";
const std::string kBadConnack = "a malformed CONNACK packet";
const std::string kBadPuback = "a malformed PUBACK packet";

// A PUBLISH on "t" with these properties and the payload "!".
std::string publish_with(const std::string& properties) {
  std::string body = "\x00\x01t"s + static_cast<char>(properties.size()) + properties + "!";
  return "\x30"s + static_cast<char>(body.size()) + body;
}
std::string connack_with(const std::string& properties) {
  std::string body = "\x00\x00"s + static_cast<char>(properties.size()) + properties;
  return "\x20"s + static_cast<char>(body.size()) + body;
}
const std::string kTaken = "PUBLISH qos 0 id 0 t=!";
const std::string kAccepted = "CONNACK session 0 reason 0";

const Read kRead[] = {
    {"1.5.4-1", "\x30\x04\x00\x01\xFF\x00"s, "the topic is not UTF-8"},
    {"1.5.4-1", "\x30\x06\x00\x03\xED\xBF\xBF\x00"s, "the topic is not UTF-8"},
    {"1.5.4-1", "\x40\x09\x00\x01\x00\x05\x1F\x00\x02\xC3\x28"s, kBadPuback},
    {"1.5.4-2", "\x30\x06\x00\x03t\x00t\x00"s, "the topic has a null character in it"},
    {"1.5.4-2", publish_with("\x03\x00\x03\x61\x00\x62"s), kBadPublish},
    {"1.5.4-3", "\x30\x08\x00\x04\xEF\xBB\xBFt\x00!"s, "PUBLISH qos 0 id 0 \xEF\xBB\xBFt=!"},
    {"1.5.5-1", "\x30\x05\x00\x01t\x80\x00"s, kBadPublish},
    {"1.5.5-1", publish_with("\x0B\x81\x00"s), kBadPublish},
    {"1.5.5-1", publish_with("\x0B\xFF\xFF\xFF\x7F"s), kTaken},
    {"1.5.5-1", publish_with("\x0B\xFF\xFF\xFF\xFF\x01"s), kBadPublish},
    {"1.5.7-1", publish_with("\x26\x00\x01k\x00\x01v"s), kTaken},
    {"1.5.7-1", publish_with("\x26\x00\x01\xFF\x00\x01v"s), kBadPublish},
    {"1.5.7-1", publish_with("\x26\x00\x01k\x00\x01\x00"s), kBadPublish},
    {"2.1.2-0", "\x10\x00"s, "a packet that a broker does not send"},
    {"2.1.2-0", "\x82\x00"s, "a packet that a broker does not send"},
    {"2.1.2-0", "\xA2\x00"s, "a packet that a broker does not send"},
    {"2.1.2-0", "\xC0\x00"s, "a packet that a broker does not send"},
    {"2.1.2-0", "\x00\x00"s, "a packet of the reserved type 0"},
    {"2.1.3-1", "\x21\x03\x00\x00\x00"s, kBadConnack},
    {"2.1.3-1", "\x41\x02\x00\x01"s, kBadPuback},
    {"2.1.3-1", "\x91\x04\x00\x01\x00\x00"s, "a malformed SUBACK packet"},
    {"2.1.3-1", "\xB1\x04\x00\x01\x00\x00"s, "a malformed UNSUBACK packet"},
    {"2.1.3-1", "\xD1\x00"s, "a malformed PINGRESP packet"},
    {"2.2.1-2", "\x30\x05\x00\x01t\x00\x07"s, "PUBLISH qos 0 id 0 t=\x07"},
    {"2.2.1-3", "\x32\x06\x00\x01t\x00\x00\x00"s, kBadPublish},
    {"2.2.1-3", "\x34\x06\x00\x01t\x00\x01\x00"s, "PUBLISH qos 2 id 1 t="},
    {"2.2.1-5", "\x40\x02\x01\x02"s, "id 258 reason 0"},
    {"2.2.1-5", "\x40\x02\x00\x00"s, kBadPuback},
    {"2.2.2-1", publish_with(""), kTaken},
    {"2.2.2-1", "\x30\x03\x00\x01t"s, kBadPublish},
    {"2.2.2-1", "\x40\x03\x00\x01\x10"s, "id 1 reason 16"},
    {"2.2.2-1", "\x40\x04\x00\x01\x10\x00"s, "id 1 reason 16"},
    {"2.2.2-1", "\x20\x02\x00\x01"s, "CONNACK session 0 reason 1"},
    {"2.2.2-0", publish_with("\x7F\x00"s), kBadPublish},
    {"2.2.2-0", publish_with("\x21\x00\x01"s), kBadPublish},
    {"2.2.2-0", publish_with("\x01\x00\x01\x00"s), kBadPublish},
    {"2.2.2-0", publish_with("\x01\x02"s), kBadPublish},
    {"2.2.2-0", publish_with("\x01\x01\x02\x00\x00\x00\x09\x09\x00\x01z"s), kTaken},
    {"2.2.2-0", publish_with("\x0B\x01\x0B\x02"s), kTaken},
    {"2.2.2-0", publish_with("\x0B\x00"s), kBadPublish},
    {"2.2.2-0", publish_with("\x26\x00\x01k\x00\x01v\x26\x00\x01k\x00\x01w"s), kTaken},
    {"2.2.2-0", publish_with("\x02\x00\x00"s), kBadPublish},
    {"2.2.2-0", "\x30\x05\x00\x01t\x7F\x26"s, kBadPublish},
    {"2.2.2-0", connack_with("\x11\x00\x00\x00\x01\x21\x00\x05\x24\x01\x25\x01\x2A\x00"s),
     kAccepted},
    {"2.2.2-0", connack_with("\x12\x00\x01\x61\x13\x00\x05\x1A\x00\x01r\x1C\x00\x01s"s), kAccepted},
    {"2.2.2-0", connack_with("\x21\x00\x00"s), kBadConnack},
    {"2.2.2-0", connack_with("\x24\x02"s), kBadConnack},
    {"2.2.2-0", connack_with("\x25\x02"s), kBadConnack},
    {"2.2.2-0", connack_with("\x27\x00\x00\x00\x00"s), kBadConnack},
    {"2.2.2-0", connack_with("\x28\x02"s), kBadConnack},
    {"2.2.2-0", connack_with("\x29\x02"s), kBadConnack},
    {"2.2.2-0", connack_with("\x2A\x02"s), kBadConnack},
    {"2.2.2-0", connack_with("\x01\x00"s), kBadConnack},
    {"2.2.2-0", connack_with("\x21\x00\x05\x21\x00\x05"s), kBadConnack},
    {"3.2.2-1", "\x20\x03\x02\x00\x00"s, kBadConnack},
    {"3.2.2-1", "\x20\x03\x81\x00\x00"s, kBadConnack},
    {"3.2.2-6", "\x20\x03\x00\x87\x00"s, "CONNACK session 0 reason 135"},
    {"3.2.2-6", "\x20\x03\x01\x87\x00"s, kBadConnack},
    {"3.2.2-6", "\x20\x03\x01\x00\x00"s, "CONNACK session 1 reason 0"},
    {"3.3.1-2", "\x38\x04\x00\x01t\x00"s, kBadPublish},
    {"3.3.1-2", "\x3C\x06\x00\x01t\x00\x01\x00"s, "PUBLISH qos 2 id 1 again t="},
    {"3.3.1-4", "\x36\x06\x00\x01t\x00\x01\x00"s, kBadPublish},
    {"3.3.2-1", "\x30\x04\x00\x05t\x00"s, kBadPublish},
    {"3.3.2-1", "\x30\x03\x00\x00\x00"s, "a PUBLISH without a topic"},
    {"3.3.2-2", "\x30\x06\x00\x03t/#\x00"s, "the topic has a wildcard in it"},
    {"3.3.2-8", publish_with("\x23\x00\x00"s), kBadPublish},
    {"3.3.2-11", publish_with("\x23\x00\x01"s), "a topic alias, which was not offered"},
    {"3.3.2-13", publish_with("\x08\x00\x01r"s), kTaken},
    {"3.3.2-13", publish_with("\x08\x00\x01\xFF"s), kBadPublish},
    {"3.3.2-19", publish_with("\x03\x00\x02\xC3\xA9"s), kTaken},
    {"3.3.2-19", publish_with("\x03\x00\x01\xE9"s), kBadPublish},
    {"3.4.2-1", "\x40\x03\x00\x01\x87"s, "id 1 reason 135"},
    {"3.4.2-1", "\x40\x05\x00\x01\x00\x00\x00"s, kBadPuback},
    {"3.4.2-1", "\x40\x01\x00"s, kBadPuback},
    {"3.5.2-1", "\x50\x03\x00\x01\x91"s, "id 1 reason 145"},
    {"3.6.1-1", "\x62\x02\x00\x01"s, "id 1 reason 0"},
    {"3.6.1-1", "\x60\x02\x00\x01"s, "a malformed PUBREL packet"},
    {"3.6.2-1", "\x62\x03\x00\x01\x92"s, "id 1 reason 146"},
    {"3.7.2-1", "\x70\x03\x00\x01\x92"s, "id 1 reason 146"},
    {"3.9.3-2", "\x90\x07\x00\x01\x00\x00\x01\x02\x87"s, "id 1 reasons 00010287"},
    {"3.9.3-2", "\x90\x04\x00\x01\x00\x03"s, "a malformed SUBACK packet"},
    {"3.9.3-2", "\x90\x04\x00\x01\x00\x7F"s, "a malformed SUBACK packet"},
    {"3.9.3-2", "\xB0\x05\x00\x01\x00\x00\x11"s, "id 1 reasons 0011"},
    {"3.14.1-1", "\xE1\x00"s, "a malformed DISCONNECT packet"},
    {"3.14.2-1", "\xE0\x00"s, "DISCONNECT reason 0"},
    {"3.14.2-1", "\xE0\x01\x8B"s, "DISCONNECT reason 139"},
    {"3.14.2-1", "\xE0\x02\x8B\x00"s, "DISCONNECT reason 139"},
    {"3.14.2-1", "\xE0\x02\x8B\x09"s, "a malformed DISCONNECT packet"},
    {"3.14.2-2", "\xE0\x07\x00\x05\x11\x00\x00\x00\x01"s, "a malformed DISCONNECT packet"},
};

struct Written {
  std::string_view statement;
  std::string bytes;
  std::string expected;
};

constexpr Version k5 = Version::k5;
ConnectPacket with_user(const char* user, const char* password) {
  ConnectPacket out;
  out.client_id = "gw";
  out.clean_start = true;
  out.user = user;
  out.password = password;
  return out;
}
ConnectPacket with_all() {
  ConnectPacket out = with_user("u", "p");
  out.clean_start = false;
  out.session_expiry = 3600;
  out.receive_maximum = 1000;
  out.will = Will{.topic = "w", .payload = "x", .qos = 1, .retain = true};
  return out;
}
const std::string kAll =
    "\x10\x24\x00\x04MQTT\x05\xEC\x00\x3C\x08\x11\x00\x00\x0E\x10\x21\x03\xE8\x00\x02gw"
    "\x00\x00\x01w\x00\x01x\x00\x01u\x00\x01p"s;
const std::string kNeither = "\x10\x0F\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x02gw"s;
const std::string kUser = "\x10\x12\x00\x04MQTT\x05\x82\x00\x3C\x00\x00\x02gw\x00\x01u"s;
const std::string kPassword = "\x10\x12\x00\x04MQTT\x05\x42\x00\x3C\x00\x00\x02gw\x00\x01p"s;

const Written kWritten[] = {
    {"1.5.5-1", publish_packet(k5, {.topic = "t"}, std::string(123, 'x')).substr(0, 2), "\x30\x7F"},
    {"1.5.5-1", publish_packet(k5, {.topic = "t"}, std::string(124, 'x')).substr(0, 3),
     "\x30\x80\x01"},
    {"1.5.5-1", publish_packet(k5, {.topic = "t"}, std::string(16'379, 'x')).substr(0, 3),
     "\x30\xFF\x7F"},
    {"1.5.5-1", publish_packet(k5, {.topic = "t"}, std::string(16'380, 'x')).substr(0, 4),
     "\x30\x80\x80\x01"},
    {"1.5.5-1", publish_packet(k5, {.topic = "t"}, std::string(2'097'148, 'x')).substr(0, 5),
     "\x30\x80\x80\x80\x01"},
    {"2.1.3-1", ack_packet(k5, Type::kPuback, 1), "\x40\x02\x00\x01"s},
    {"2.1.3-1", ack_packet(k5, Type::kPubcomp, 1, kPacketIdNotFound), "\x70\x03\x00\x01\x92"s},
    {"2.2.1-2", publish_packet(k5, {.topic = "t", .id = 9}, "!"), "\x30\x05\x00\x01t\x00!"s},
    {"2.2.1-3", publish_packet(k5, {.topic = "t", .qos = 1, .id = 9}, "!"),
     "\x32\x07\x00\x01t\x00\x09\x00!"s},
    {"2.2.2-1", connect_packet(with_user("", "")), kNeither},
    {"2.2.2-1", subscribe_packet(k5, 1, {"a"}, {.qos = 1}),
     "\x82\x07\x00\x01\x00\x00\x01\x61\x11"s},
    {"2.2.2-0", publish_packet(k5, {.topic = "t", .message_expiry = 60, .content_type = "c"}, "!"),
     "\x30\x0E\x00\x01t\x09\x02\x00\x00\x00\x3C\x03\x00\x01\x63!"s},
    {"3.1.2-16", connect_packet(with_user("", "")), kNeither},
    {"3.1.2-17", connect_packet(with_user("u", "")), kUser},
    {"3.1.2-18", connect_packet(with_user("u", "")), kUser},
    {"3.1.2-19", connect_packet(with_user("", "p")), kPassword},
    {"3.1.3-1", connect_packet(with_all()), kAll},
    {"3.1.3-3", connect_packet(with_user("", "")), kNeither},
    {"3.3.1-2", publish_packet(k5, {.topic = "t", .retain = true}, ""), "\x31\x04\x00\x01t\x00"s},
    {"3.3.4-6", publish_packet(k5, {.topic = "t", .qos = 2, .id = 9}, ""),
     "\x34\x06\x00\x01t\x00\x09\x00"s},
    {"3.4.2-1", ack_packet(k5, Type::kPuback, 1, kSuccess), "\x40\x02\x00\x01"s},
    {"3.5.2-1", ack_packet(k5, Type::kPubrec, 1), "\x50\x02\x00\x01"s},
    {"3.6.1-1", ack_packet(k5, Type::kPubrel, 1), "\x62\x02\x00\x01"s},
    {"3.7.2-1", ack_packet(k5, Type::kPubcomp, 1), "\x70\x02\x00\x01"s},
    {"3.8.1-1", subscribe_packet(k5, 1, {"a"}, {.qos = 0}),
     "\x82\x07\x00\x01\x00\x00\x01\x61\x10"s},
    {"3.8.3-2", subscribe_packet(k5, 1, {"a", "b"}, {.qos = 2, .identifier = 5}),
     "\x82\x0D\x00\x01\x02\x0B\x05\x00\x01\x61\x12\x00\x01\x62\x12"s},
    {"3.8.3-4", subscribe_packet(k5, 1, {"$share/g/a"}, {.qos = 1, .retain_as_published = true}),
     "\x82\x10\x00\x01\x00\x00\x0A$share/g/a\x19"s},
    {"3.10.1-1", unsubscribe_packet(k5, 1, {"a"}), "\xA2\x06\x00\x01\x00\x00\x01\x61"s},
    {"3.10.3-2", unsubscribe_packet(k5, 1, {"a", "b"}),
     "\xA2\x09\x00\x01\x00\x00\x01\x61\x00\x01\x62"s},
    {"3.14.2-1", disconnect_packet(k5, kSuccess), "\xE0\x00"s},
    {"3.14.2-1", disconnect_packet(k5, kProtocolError), "\xE0\x01\x82"s},
    {"4.3.1-1", publish_packet(k5, {.topic = "t"}, ""), "\x30\x04\x00\x01t\x00"s},
    {"4.3.2-2", publish_packet(k5, {.topic = "t", .qos = 1, .id = 1}, "").substr(0, 1), "\x32"},
    {"4.3.3-2", publish_packet(k5, {.topic = "t", .qos = 2, .id = 1}, "").substr(0, 1), "\x34"},
};

const std::string kShared = "a shared subscription is written \"$share/GROUP/FILTER\"";

const Written kTopics[] = {
    {"4.8.2-1", filter_error("$share/g/a/#"), ""},
    {"4.8.2-1", filter_error("$share//a"), kShared},
    {"4.8.2-1", filter_error("$share"), ""},  // a topic like any other
    {"4.8.2-2", filter_error("$share/g"), kShared},
    {"4.8.2-2", filter_error("$share/g/"), kShared},
    {"4.8.2-2", filter_error("$share/g+/a"), kShared},
    {"4.8.2-2", filter_error("$share/#/a"), kShared},
    {"4.8.2-2", filter_error("$share/g//a"), ""},
    {"4.8.2-2", filter_error("$share/g/a#"),
     "\"+\" and \"#\" must be a whole level, between slashes"},
};

TEST(Mqtt5, has_no_gap) {
  expect_no_gap(kStatements, kRead, kWritten, kTopics);
}

TEST(Mqtt5, is_held_by_what_is_read) {
  for (const Read& read : kRead)
    EXPECT_EQ(mqtt::read(read.bytes, k5), read.expected)
        << read.statement << ": " << hex(read.bytes);
}

TEST(Mqtt5, is_held_by_what_is_written) {
  for (const Written& written : kWritten)
    EXPECT_EQ(hex(written.bytes), hex(written.expected)) << written.statement;
}

TEST(Mqtt5, is_held_by_shared_filters) {
  for (const Written& topic : kTopics) EXPECT_EQ(topic.bytes, topic.expected) << topic.statement;
}

}  // namespace
}  // namespace leat::mqtt
