#include "protocols/mqtt/packets.h"

#include <gtest/gtest.h>

#include <string>

#include "protocols/mqtt/writer.h"

namespace leat::mqtt {
namespace {

using namespace std::string_literals;

Frame frame(PacketType type, std::string_view body, uint8_t flags = 0) {
  return {.type = type, .flags = flags, .body = body, .size = body.size() + 2};
}

TEST(Packets, a_connack_says_what_the_broker_can) {
  std::string body =
      "\x01\x00\x13\x21\x00\x14\x24\x01\x25\x00\x13\x00\x0A\x27\x00\x01\x00\x00\x2A\x00\x28\x00"s;
  auto connack = read_connack(frame(PacketType::kConnack, body), Version::k5);
  ASSERT_TRUE(connack);
  EXPECT_TRUE(connack->session_present);
  EXPECT_EQ(connack->properties.receive_maximum, 20);
  EXPECT_EQ(connack->properties.maximum_qos, 1);
  EXPECT_FALSE(connack->properties.retain_available);
  EXPECT_FALSE(connack->properties.shared_available);
  EXPECT_FALSE(connack->properties.wildcard_available);
  EXPECT_EQ(connack->properties.server_keep_alive, 10);
  EXPECT_EQ(connack->properties.maximum_packet_size, 65'536U);
}

TEST(Packets, a_refusal_in_the_form_of_3_1_1_is_understood) {
  auto connack = read_connack(frame(PacketType::kConnack, "\x00\x01"s), Version::k5);
  ASSERT_TRUE(connack);
  EXPECT_EQ(connack->reason, 1);
}

TEST(Packets, a_publish_of_each_version) {
  const std::string first = "\x00\x01t\x00\x09hi"s;
  auto old = read_publish(frame(PacketType::kPublish, first, 0x0B), Version::k311);
  ASSERT_TRUE(old);
  EXPECT_EQ(old->topic, "t");
  EXPECT_EQ(old->id, 9);
  EXPECT_EQ(old->qos, 1);
  EXPECT_TRUE(old->redelivered);
  EXPECT_TRUE(old->retained);
  EXPECT_EQ(old->payload, "hi");
  const std::string second =
      "\x00\x01t\x0B\x26\x00\x01k\x00\x01v\x03\x00\x01"
      "chi"s;
  auto now = read_publish(frame(PacketType::kPublish, second), Version::k5);
  ASSERT_TRUE(now);
  EXPECT_EQ(now->payload, "hi");
  std::string pairs;
  each_text_property(now->properties.text,
                     [&pairs](Property which, std::string_view name, std::string_view value) {
                       pairs += std::to_string(static_cast<int>(which)) + ' ' + std::string(name) +
                                '=' + std::string(value) + ';';
                     });
  EXPECT_EQ(pairs, "38 k=v;3 c=;");
  EXPECT_EQ(now->properties.content_type, "c");
}

TEST(Packets, malformed_ones_are_refused) {
  auto publish = [](const std::string& body, uint8_t flags, Version version = Version::k5) {
    return read_publish(frame(PacketType::kPublish, body, flags), version).has_value();
  };
  EXPECT_FALSE(publish("\x00\x05t"s, 0)) << "a topic that is longer than the packet";
  EXPECT_FALSE(publish("\x00\x01t\x00\x01\x00"s, 6)) << "QoS 3";
  EXPECT_FALSE(publish("\x00\x01t\x00\x00\x00"s, 2)) << "packet identifier 0";
  EXPECT_FALSE(publish("\x00\x01t\x05\x26"s, 0)) << "properties that are not all there";
  EXPECT_FALSE(publish("\x00\x01t\x02\x7F\x00"s, 0)) << "a property that does not exist";
  EXPECT_FALSE(publish("\x00\x01t\x03\x23\x00\x01"s, 0)) << "a topic alias that was not offered";
  EXPECT_FALSE(publish("\x00\x01t\x80\x80\x80\x80"s, 0)) << "a length without an end";
  EXPECT_FALSE(read_ack(frame(PacketType::kPuback, "\x05"), Version::k5));
  EXPECT_FALSE(read_connack(frame(PacketType::kConnack, "\x00"s), Version::k5));
  EXPECT_FALSE(read_connack(frame(PacketType::kConnack, "\x00\x00\x03\x21\x00\x00"s), Version::k5))
      << "Receive Maximum 0";
  EXPECT_FALSE(read_suback(frame(PacketType::kSuback, ""), Version::k311));
  EXPECT_FALSE(read_disconnect(frame(PacketType::kDisconnect, "\x8E\x09"s), Version::k5));
}

TEST(Packets, acknowledgements_are_written_in_their_short_form) {
  std::string out;
  append_ack(out, Version::k5, PacketType::kPuback, 5);
  append_ack(out, Version::k311, PacketType::kPubrel, 6, kPacketIdNotFound);
  append_ack(out, Version::k5, PacketType::kPubcomp, 7, kPacketIdNotFound);
  EXPECT_EQ(out, "\x40\x02\x00\x05\x62\x02\x00\x06\x70\x03\x00\x07\x92"s);
}

TEST(Packets, a_connect_with_all_that_there_is) {
  ConnectPacket connect{.version = Version::k5,
                        .client_id = "gw",
                        .keep_alive = 60,
                        .session_expiry = 3600,
                        .receive_maximum = 1000,
                        .user = "u",
                        .password = "p",
                        .will = Will{.topic = "w", .payload = "x", .qos = 1, .retain = true}};
  std::string out;
  append_connect(out, connect);
  EXPECT_EQ(out,
            "\x10\x24\x00\x04MQTT\x05\xEC\x00\x3C\x08\x11\x00\x00\x0E\x10\x21\x03\xE8\x00\x02gw"
            "\x00\x00\x01w\x00\x01x\x00\x01u\x00\x01p"s);
  connect.version = Version::k311;
  connect.will.reset();
  connect.clean_start = true;
  out.clear();
  append_connect(out, connect);
  EXPECT_EQ(out, "\x10\x14\x00\x04MQTT\x04\xC2\x00\x3C\x00\x02gw\x00\x01u\x00\x01p"s);
}

TEST(Packets, a_subscription_asks_for_what_each_version_can) {
  const std::string filters[] = {"a/#"};
  std::string out;
  append_subscribe(out, Version::k311, 1, filters, {.qos = 1});
  append_subscribe(out, Version::k5, 2, filters,
                   {.qos = 2, .retain_as_published = true, .identifier = 200});
  EXPECT_EQ(
      out, "\x82\x08\x00\x01\x00\x03\x61/#\x01\x82\x0C\x00\x02\x03\x0B\xC8\x01\x00\x03\x61/#\x1A"s);
  EXPECT_EQ(subscribe_size(Version::k311, filters, {.qos = 1}), 10U);
  EXPECT_EQ(subscribe_size(Version::k5, filters, {.qos = 2, .identifier = 200}), 14U);
}

TEST(Packets, a_request_says_where_its_answer_goes_and_what_comes_with_it) {
  const std::string body = "\x00\x01t\x00\x05\x0C\x08\x00\x03r/1\x09\x00\x03\x00\xFF\x01!"s;
  auto publish = read_publish(frame(PacketType::kPublish, body, 2), Version::k5);
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->properties.response_topic, "r/1");
  EXPECT_EQ(publish->properties.correlation_data, "\x00\xFF\x01"s);
  EXPECT_EQ(publish->payload, "!");

  const PublishHead head{.topic = "r/1", .correlation_data = publish->properties.correlation_data};
  std::string out;
  append_publish(out, Version::k5, head, "!");
  EXPECT_EQ(out, "\x30\x0D\x00\x03r/1\x06\x09\x00\x03\x00\xFF\x01!"s);
  EXPECT_EQ(publish_size(Version::k5, head, 1), out.size());
  out.clear();
  append_publish(out, Version::k311, head, "!");
  EXPECT_EQ(out, "\x30\x06\x00\x03r/1!"s);
}

}  // namespace
}  // namespace leat::mqtt
