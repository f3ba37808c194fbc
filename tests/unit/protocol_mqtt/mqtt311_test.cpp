// The statements of MQTT 3.1.1 (its appendix B) by their numbers: what is read, what is written,
// and where the rest is asked. What closes a connection is asked at the source, too
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
constexpr const char* kNoWebSocket = "there is no WebSocket";
constexpr const char* kClose = "Session::close() says it last, and closes";

// Of the server alone: 2.3.1-4, 3.1.0-2, 3.1.2-1, -2, -3, -5, -7, -8, -10, -12, -16, -17, -24,
// 3.1.3-5, -6, -8, -9, 3.1.4-1 to -5, 3.2.2-2, -3, -5, -6, 3.3.1-3, -5 to -12, 3.3.2-3, 3.3.5-1,
// -2, 3.8.3-2, -4, 3.8.4-1, -3, -4, -6, 3.9.3-1, 3.10.4-1 to
// -6, 3.12.4-1, 3.14.1-1, 3.14.4-3, 4.1.0-2, 4.5.0-1, 4.6.0-5,
// -6, 4.7.3-4, 4.8.0-2, 6.0.0-4, 7.0.0-1.
constexpr Statement kStatements[] = {
    {"1.5.3-1", "texts are UTF-8, without surrogates"},
    {"1.5.3-2", "texts have no U+0000"},
    {"1.5.3-3", "U+FEFF is a character like any other, wherever it stands"},
    {"2.2.2-1", "reserved flags have the values of table 2.2"},
    {"2.2.2-2", "other flags: the connection is closed"},
    {"2.2.3-0", "the length is a number of at most four bytes"},
    {"2.3.1-1",
     "SUBSCRIBE, UNSUBSCRIBE, PUBLISH with QoS 1 and 2 have an identifier that is not 0"},
    {"2.3.1-2", "a new packet has an identifier that is not in use", kSink},
    {"2.3.1-3", "a packet that is sent again has the same one",
     "the sink's session is a clean one: what was not acknowledged goes as a new message"},
    {"2.3.1-5", "QoS 0 has no identifier"},
    {"2.3.1-6", "PUBACK, PUBREC, PUBREL have the PUBLISH's"},
    {"2.3.1-7", "SUBACK and UNSUBACK have the request's", kSession},
    {"3.1.0-1", "CONNECT comes first", "nothing is sent before CONNACK but that (Session::up)"},
    {"3.1.2-4", "CleanSession 0: the session is kept, here, too", kSource},
    {"3.1.2-6", "CleanSession 1: what was before is discarded", kInbox},
    {"3.1.2-9", "a will has a topic and a message"},
    {"3.1.2-11", "without a will, no topic, no message, and its flags are 0"},
    {"3.1.2-13", "without a will, its QoS is 0"},
    {"3.1.2-14", "the QoS of a will is 0, 1 or 2"},
    {"3.1.2-15", "without a will, its RETAIN is 0"},
    {"3.1.2-18", "flag of the user 0: none is there"},
    {"3.1.2-19", "flag of the user 1: one is there"},
    {"3.1.2-20", "flag of the password 0: none is there"},
    {"3.1.2-21", "flag of the password 1: one is there"},
    {"3.1.2-22", "no password without a user"},
    {"3.1.2-23", "something is sent within each keep-alive time", kSource},
    {"3.1.3-1", "client id, will topic, will message, user, password, in this order"},
    {"3.1.3-2", "the client id is what the session is known by", kSource},
    {"3.1.3-3", "the client id is there, and first"},
    {"3.1.3-4", "the client id is UTF-8", "asked in connector_mqtt/options_test.cpp"},
    {"3.1.3-7", "an empty client id goes with CleanSession 1", "it is never empty"},
    {"3.1.3-10", "the topic of a will is UTF-8", "asked in connector_mqtt/options_test.cpp"},
    {"3.1.3-11", "the user is UTF-8", "a configuration is"},
    {"3.2.0-1", "the broker's first packet is CONNACK", kSession},
    {"3.2.2-1", "no session where a clean one was asked for", kSession},
    {"3.2.2-4", "no session in a refusal"},
    {"3.3.1-1", "DUP on what is sent again", "nothing is sent again as it was: 2.3.1-3"},
    {"3.3.1-2", "no DUP with QoS 0"},
    {"3.3.1-4", "there is no QoS 3"},
    {"3.3.2-1", "the topic comes first, and is UTF-8"},
    {"3.3.2-2", "a topic has no wildcards"},
    {"3.3.4-1", "a PUBLISH is answered as its QoS asks", kInbox},
    {"3.6.1-1", "PUBREL has the flags 0010"},
    {"3.8.1-1", "SUBSCRIBE has the flags 0010"},
    {"3.8.3-1", "filters are UTF-8"},
    {"3.8.3-3", "a SUBSCRIBE has a filter or more"},
    {"3.8.4-2", "a SUBACK has the SUBSCRIBE's identifier", kSession},
    {"3.8.4-5", "a SUBACK has a code for each filter", kSession},
    {"3.9.3-2", "a code is 0, 1, 2 or 0x80"},
    {"3.10.1-1", "UNSUBSCRIBE has the flags 0010"},
    {"3.10.3-1", "filters are UTF-8", "as 3.8.3-1"},
    {"3.10.3-2", "an UNSUBSCRIBE has a filter or more"},
    {"3.12-0", "PINGREQ and PINGRESP have no body"},
    {"3.14.4-1", "after DISCONNECT the client closes the connection", kClose},
    {"3.14.4-2", "nothing is sent after DISCONNECT", kClose},
    {"4.1.0-1", "a session's state is kept while it lasts", kInbox},
    {"4.3.1-1", "QoS 0: sent with QoS 0, DUP 0"},
    {"4.3.2-1", "QoS 1: a new identifier, DUP 0, unacknowledged until PUBACK", kSink},
    {"4.3.2-2", "QoS 1: PUBACK when it is owned; after it, the identifier is a new message's",
     kInbox},
    {"4.3.3-1", "QoS 2: PUBLISH, PUBREC, PUBREL, PUBCOMP", kSink},
    {"4.3.3-2", "QoS 2: PUBREC, no duplicates until PUBREL, PUBCOMP", kInbox},
    {"4.4.0-1", "a kept session sends again what was not acknowledged", kSource},
    {"4.5.0-2", "what is not used is acknowledged all the same", kSink},
    {"4.6.0-1", "what is sent again goes in the order of the first time", kSink},
    {"4.6.0-2", "PUBACKs go in the order of the PUBLISHes", kInbox},
    {"4.6.0-3", "PUBRECs go in the order of the PUBLISHes", kInbox},
    {"4.6.0-4", "PUBRELs go in the order of the PUBRECs", "each goes as its PUBREC is read"},
    {"4.7.1-1", "wildcards are for filters"},
    {"4.7.1-2", "# is a level of its own, and the last"},
    {"4.7.1-3", "+ is a level of its own"},
    {"4.7.2-1", "a wildcard at the start does not match $…"},
    {"4.7.3-1", "topics and filters have a character or more"},
    {"4.7.3-2", "they have no U+0000"},
    {"4.7.3-3", "they have at most 65,535 bytes"},
    {"4.8.0-1", "a breach of the protocol closes the connection", kSession},
    {"6.0.0-1", "binary frames", kNoWebSocket},
    {"6.0.0-2", "packets and frames need not be aligned", kNoWebSocket},
    {"6.0.0-3", "the subprotocol is offered", kNoWebSocket},
    {"7.0.0-2", "no extension is required", "none is used"},
};

struct Read {
  std::string_view statement;
  std::string bytes;
  std::string expected;
};

const std::string kBadPublish = "a malformed PUBLISH packet";

const Read kRead[] = {
    {"1.5.3-1", "\x30\x03\x00\x01\xFF"s, "the topic is not UTF-8"},
    {"1.5.3-1", "\x30\x05\x00\x03\xED\xA0\x80"s, "the topic is not UTF-8"},
    {"1.5.3-1", "\x30\x04\x00\x02\xC0\xAF"s, "the topic is not UTF-8"},
    {"1.5.3-2", "\x30\x05\x00\x03t\x00t"s, "the topic has a null character in it"},
    {"1.5.3-3", "\x30\x07\x00\x04\xEF\xBB\xBFt!"s, "PUBLISH qos 0 id 0 \xEF\xBB\xBFt=!"},
    {"2.2.2-2", "\x21\x02\x00\x00"s, "a malformed CONNACK packet"},
    {"2.2.2-2", "\x42\x02\x00\x01"s, "a malformed PUBACK packet"},
    {"2.2.2-2", "\x5F\x02\x00\x01"s, "a malformed PUBREC packet"},
    {"2.2.2-2", "\x71\x02\x00\x01"s, "a malformed PUBCOMP packet"},
    {"2.2.2-2", "\x92\x03\x00\x01\x00"s, "a malformed SUBACK packet"},
    {"2.2.2-2", "\xB8\x02\x00\x01"s, "a malformed UNSUBACK packet"},
    {"2.2.2-2", "\xD1\x00"s, "a malformed PINGRESP packet"},
    {"2.2.3-0", "\x40\x82\x00\x00\x01"s, "id 1 reason 0"},
    {"2.2.3-0", "\x30\x80\x80\x80\x00"s, kBadPublish},
    {"2.2.3-0", "\x30\xFF\xFF\xFF\xFF\x01"s, "a packet whose length is not a valid number"},
    {"2.2.3-0", "\x30\xFF\xFF\xFF"s, "more"},
    {"2.2.3-0", "\x30"s, "more"},
    {"2.3.1-1", "\x32\x05\x00\x01t\x00\x00"s, kBadPublish},
    {"2.3.1-1", "\x34\x03\x00\x01t"s, kBadPublish},
    {"2.3.1-1", "\x32\x05\x00\x01t\xFF\xFF"s, "PUBLISH qos 1 id 65535 t="},
    {"2.3.1-5", "\x30\x05\x00\x01t\x00\x00"s, "PUBLISH qos 0 id 0 t=\0\0"s},
    {"2.3.1-6", "\x40\x02\x01\x02"s, "id 258 reason 0"},
    {"2.3.1-6", "\x40\x02\x00\x00"s, "a malformed PUBACK packet"},
    {"2.3.1-6", "\x50\x01\x00"s, "a malformed PUBREC packet"},
    {"2.3.1-6", "\x70\x03\x00\x01\x00"s, "a malformed PUBCOMP packet"},
    {"3.2.2-4", "\x20\x02\x00\x00"s, "CONNACK session 0 reason 0"},
    {"3.2.2-4", "\x20\x02\x01\x00"s, "CONNACK session 1 reason 0"},
    {"3.2.2-4", "\x20\x02\x00\x05"s, "CONNACK session 0 reason 5"},
    {"3.2.2-4", "\x20\x02\x01\x05"s, "a malformed CONNACK packet"},
    {"3.2.2-4", "\x20\x02\x02\x00"s, "a malformed CONNACK packet"},
    {"3.2.2-4", "\x20\x03\x00\x00\x00"s, "a malformed CONNACK packet"},
    {"3.2.2-4", "\x20\x01\x00"s, "a malformed CONNACK packet"},
    {"3.3.1-2", "\x38\x03\x00\x01t"s, kBadPublish},
    {"3.3.1-2", "\x3A\x05\x00\x01t\x00\x01"s, "PUBLISH qos 1 id 1 again t="},
    {"3.3.1-4", "\x36\x05\x00\x01t\x00\x01"s, kBadPublish},
    {"3.3.1-4", "\x35\x07\x00\x01t\x00\x01hi"s, "PUBLISH qos 2 id 1 retained t=hi"},
    {"3.3.2-1", "\x30\x03\x00\x05t"s, kBadPublish},
    {"3.3.2-1", "\x30\x01\x00"s, kBadPublish},
    {"3.3.2-1", "\x30\x05\x00\x03\xE2\x82\xAC"s, "PUBLISH qos 0 id 0 \xE2\x82\xAC="},
    {"3.3.2-2", "\x30\x05\x00\x03t/+"s, "the topic has a wildcard in it"},
    {"3.3.2-2", "\x30\x05\x00\x03#/t"s, "the topic has a wildcard in it"},
    {"3.6.1-1", "\x62\x02\x00\x01"s, "id 1 reason 0"},
    {"3.6.1-1", "\x60\x02\x00\x01"s, "a malformed PUBREL packet"},
    {"3.9.3-2", "\x90\x06\x00\x01\x00\x01\x02\x80"s, "id 1 reasons 00010280"},
    {"3.9.3-2", "\x90\x03\x00\x01\x03"s, "a malformed SUBACK packet"},
    {"3.9.3-2", "\x90\x03\x00\x01\x87"s, "a malformed SUBACK packet"},
    {"3.9.3-2", "\xB0\x02\x00\x01"s, "id 1 reasons "},
    {"3.9.3-2", "\xB0\x03\x00\x01\x00"s, "a malformed UNSUBACK packet"},
    {"3.12-0", "\xD0\x00"s, "PINGRESP"},
    {"3.12-0", "\xD0\x01\x00"s, "a malformed PINGRESP packet"},
    {"4.7.3-1", "\x30\x02\x00\x00"s, "a PUBLISH without a topic"},
};

struct Written {
  std::string_view statement;
  std::string bytes;
  std::string expected;
};

constexpr Version k3 = Version::k311;
ConnectPacket plain() {
  ConnectPacket out;
  out.version = k3;
  out.client_id = "gw";
  out.clean_start = true;
  return out;
}
ConnectPacket with_user(const char* user, const char* password) {
  ConnectPacket out = plain();
  out.user = user;
  out.password = password;
  return out;
}
ConnectPacket with_will(uint8_t qos, bool retain) {
  ConnectPacket out = with_user("u", "p");
  out.will = Will{.topic = "w", .payload = "x", .qos = qos, .retain = retain};
  return out;
}
const std::string kPlain = "\x10\x0E\x00\x04MQTT\x04\x02\x00\x3C\x00\x02gw"s;
const std::string kUser = "\x10\x11\x00\x04MQTT\x04\x82\x00\x3C\x00\x02gw\x00\x01u"s;
const std::string kBoth = "\x10\x14\x00\x04MQTT\x04\xC2\x00\x3C\x00\x02gw\x00\x01u\x00\x01p"s;
const std::string kAll =
    "\x10\x1A\x00\x04MQTT\x04\xEE\x00\x3C\x00\x02gw\x00\x01w\x00\x01x\x00\x01u\x00\x01p"s;

const Written kWritten[] = {
    {"2.2.2-1", ack_packet(k3, Type::kPuback, 1), "\x40\x02\x00\x01"s},
    {"2.2.2-1", ack_packet(k3, Type::kPubrec, 1), "\x50\x02\x00\x01"s},
    {"2.2.2-1", ack_packet(k3, Type::kPubcomp, 1), "\x70\x02\x00\x01"s},
    {"2.2.2-1", disconnect_packet(k3, kProtocolError), "\xE0\x00"s},
    {"2.3.1-1", publish_packet(k3, {.topic = "t", .qos = 1, .id = 9}, "hi"),
     "\x32\x07\x00\x01t\x00\x09hi"s},
    {"2.3.1-1", publish_packet(k3, {.topic = "t", .qos = 2, .retain = true, .id = 9}, ""),
     "\x35\x05\x00\x01t\x00\x09"s},
    {"2.3.1-5", publish_packet(k3, {.topic = "t"}, "hi"), "\x30\x05\x00\x01thi"s},
    {"3.1.2-9", connect_packet(with_will(1, true)), kAll},
    {"3.1.2-11", connect_packet(plain()), kPlain},
    {"3.1.2-13", connect_packet(plain()), kPlain},
    {"3.1.2-14", connect_packet(with_will(0, false)).substr(9, 1), "\xC6"},
    {"3.1.2-14", connect_packet(with_will(1, false)).substr(9, 1), "\xCE"},
    {"3.1.2-14", connect_packet(with_will(2, false)).substr(9, 1), "\xD6"},
    {"3.1.2-15", connect_packet(plain()).substr(9, 1), "\x02"},
    {"3.1.2-18", connect_packet(plain()), kPlain},
    {"3.1.2-19", connect_packet(with_user("u", "")), kUser},
    {"3.1.2-20", connect_packet(with_user("u", "")), kUser},
    {"3.1.2-21", connect_packet(with_user("u", "p")), kBoth},
    {"3.1.2-22", connect_packet(with_user("", "p")),
     "\x10\x13\x00\x04MQTT\x04\xC2\x00\x3C\x00\x02gw\x00\x00\x00\x01p"s},
    {"3.1.3-1", connect_packet(with_will(1, true)), kAll},
    {"3.1.3-3", connect_packet(plain()), kPlain},
    {"3.3.1-2", publish_packet(k3, {.topic = "t", .retain = true}, ""), "\x31\x03\x00\x01t"s},
    {"3.6.1-1", ack_packet(k3, Type::kPubrel, 1), "\x62\x02\x00\x01"s},
    {"3.8.1-1", subscribe_packet(k3, 1, {"a"}, {.qos = 1}), "\x82\x06\x00\x01\x00\x01\x61\x01"s},
    {"3.8.3-3", subscribe_packet(k3, 1, {"a", "b"}, {.qos = 2}),
     "\x82\x0A\x00\x01\x00\x01\x61\x02\x00\x01\x62\x02"s},
    // What only 5 has is not asked for.
    {"3.8.3-3",
     subscribe_packet(k3, 1, {"a"}, {.qos = 0, .retain_as_published = true, .identifier = 7}),
     "\x82\x06\x00\x01\x00\x01\x61\x00"s},
    {"3.10.1-1", unsubscribe_packet(k3, 1, {"a"}), "\xA2\x05\x00\x01\x00\x01\x61"s},
    {"3.10.3-2", unsubscribe_packet(k3, 1, {"a", "b"}),
     "\xA2\x08\x00\x01\x00\x01\x61\x00\x01\x62"s},
    {"3.12-0", pingreq_packet(), "\xC0\x00"s},
    {"4.3.1-1", publish_packet(k3, {.topic = "t", .id = 9}, ""), "\x30\x03\x00\x01t"s},
};

const std::string kControl = "it has a control character in it";
const std::string kWhole = "\"+\" and \"#\" must be a whole level, between slashes";

const Written kTopics[] = {
    {"3.8.3-1", filter_error("caf\xE9"), "it is not UTF-8"},
    {"3.8.3-1", filter_error("caf\xC3\xA9/#"), ""},
    {"4.7.1-1", topic_error("a/+"), "it has a \"+\" or \"#\" in it, which only filters may"},
    {"4.7.1-1", topic_error("a#"), "it has a \"+\" or \"#\" in it, which only filters may"},
    {"4.7.1-2", filter_error("#"), ""},
    {"4.7.1-2", filter_error("a/#"), ""},
    {"4.7.1-2", filter_error("a#"), kWhole},
    {"4.7.1-2", filter_error("a/#/b"), "\"#\" must be the last level"},
    {"4.7.1-3", filter_error("+"), ""},
    {"4.7.1-3", filter_error("+/a/+/#"), ""},
    {"4.7.1-3", filter_error("a+"), kWhole},
    {"4.7.1-3", filter_error("a/+b/c"), kWhole},
    {"4.7.3-1", filter_error(""), "it is empty"},
    {"4.7.3-1", topic_error(""), "it is empty"},
    {"4.7.3-1", topic_error("/"), ""},
    {"4.7.3-1", topic_error(" "), ""},
    {"4.7.3-2", filter_error("a\0b"s), kControl},
    {"4.7.3-2", topic_error("a\0b"s), kControl},
    {"4.7.3-3", topic_error(std::string(65'535, 'a')), ""},
    {"4.7.3-3", topic_error(std::string(65'536, 'a')), "it is longer than 65535 bytes"},
    {"4.7.3-3", filter_error(std::string(65'536, 'a')), "it is longer than 65535 bytes"},
};

struct Match {
  std::string_view statement;
  std::string_view filter;
  std::string_view topic;
  bool expected;
};

constexpr Match kMatches[] = {
    {"4.7.1-2", "sport/tennis/player1/#", "sport/tennis/player1", true},
    {"4.7.1-2", "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"4.7.1-2", "sport/#", "sport", true},
    {"4.7.1-2", "sport/#", "sports", false},
    {"4.7.1-3", "sport/tennis/+", "sport/tennis/player1", true},
    {"4.7.1-3", "sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"4.7.1-3", "sport/+", "sport", false},
    {"4.7.1-3", "sport/+", "sport/", true},
    {"4.7.1-3", "+/+", "/finance", true},
    {"4.7.1-3", "/+", "/finance", true},
    {"4.7.1-3", "+", "/finance", false},
    {"4.7.2-1", "#", "$SYS/monitor/Clients", false},
    {"4.7.2-1", "+/monitor/Clients", "$SYS/monitor/Clients", false},
    {"4.7.2-1", "$SYS/#", "$SYS/monitor/Clients", true},
    {"4.7.2-1", "$SYS/monitor/+", "$SYS/monitor/Clients", true},
    {"4.7.3-1", "ACCOUNTS", "Accounts", false},
};

TEST(Mqtt311, has_no_gap) {
  expect_no_gap(kStatements, kRead, kWritten, kTopics, kMatches);
}

TEST(Mqtt311, is_held_by_what_is_read) {
  for (const Read& read : kRead)
    EXPECT_EQ(mqtt::read(read.bytes, k3), read.expected)
        << read.statement << ": " << hex(read.bytes);
}

TEST(Mqtt311, is_held_by_what_is_written) {
  for (const Written& written : kWritten)
    EXPECT_EQ(hex(written.bytes), hex(written.expected)) << written.statement;
}

TEST(Mqtt311, is_held_by_topics_and_filters) {
  for (const Written& topic : kTopics) EXPECT_EQ(topic.bytes, topic.expected) << topic.statement;
  for (const Match& match : kMatches)
    EXPECT_EQ(matches(match.filter, match.topic), match.expected)
        << match.statement << ": " << match.filter << " " << match.topic;
}

}  // namespace
}  // namespace leat::mqtt
