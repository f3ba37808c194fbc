// The mqtt sink on a real loop, against a broker that does as scripted.
#include "stage/sink.h"

#include <gtest/gtest.h>

#include <csignal>

#include "connectors/mqtt/options.h"
#include "scripted_broker.h"
#include "sink_harness.h"

namespace leat {
extern const SinkType kMqttSink;
}

namespace leat::testing {
namespace {

using namespace std::string_literals;
using Type = mqtt::PacketType;

class MqttSinkTest : public ::testing::Test {
 protected:
  MqttSinkTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options_.set("url", broker_.url());
    options_.set("version", "3.1.1"s);
    options_.set("topic", "plant/{site}"s);
    acknowledge();
  }
  void acknowledge() {
    broker_.on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
      if (packet.type == Type::kPubrel) broker_.say_ack(Type::kPubcomp, id(packet));
      if (packet.type != Type::kPublish) return;
      if (qos_ == 1) broker_.say_ack(Type::kPuback, id(packet));
      if (qos_ == 2) broker_.say_ack(Type::kPubrec, id(packet));
    };
  }
  static uint16_t id(const ScriptedBroker::Packet& packet) {
    size_t at = packet.type == Type::kPublish
                    ? 2 + static_cast<size_t>(ScriptedBroker::id_of(packet.body))
                    : 0;
    return static_cast<uint16_t>(ScriptedBroker::id_of(packet.body.substr(at)));
  }
  void start(int qos = 1) {
    qos_ = qos;
    options_.set("qos", int64_t{qos});
    Status status = harness_.start(kMqttSink, options_);
    ASSERT_TRUE(status) << status.error().message();
  }
  Delivery three() {
    return harness_.records({{{"site", text("a")}, {"n", Value::of_integer(1)}},
                             {{"site", text("b")}, {"n", Value::of_integer(2)}},
                             {{"site", text("c")}, {"n", Value::of_integer(3)}}});
  }
  // "topic payload" of all that was published.
  std::vector<std::string> published() const {
    std::vector<std::string> out;
    for (const ScriptedBroker::Packet& packet : broker_.packets) {
      if (packet.type != Type::kPublish) continue;
      auto size = static_cast<size_t>(ScriptedBroker::id_of(packet.body));
      out.push_back(packet.body.substr(2, size) + " " +
                    packet.body.substr(2 + size + (qos_ > 0 ? 2 : 0)));
    }
    return out;
  }

  SinkHarness harness_;
  ScriptedBroker broker_{harness_.loop()};
  Options options_{mqtt::kSinkOptions, "sink"};
  int qos_ = 1;
};

class MqttSinkQosTest : public MqttSinkTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Qos, MqttSinkQosTest, ::testing::Values(0, 1, 2));

TEST_P(MqttSinkQosTest, publishes_each_record_on_its_topic) {
  start(GetParam());
  EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
  EXPECT_TRUE(harness_.wait([this] { return published().size() == 3; }));
  EXPECT_EQ(published(), (std::vector<std::string>{"plant/a {\"site\":\"a\",\"n\":1}",
                                                   "plant/b {\"site\":\"b\",\"n\":2}",
                                                   "plant/c {\"site\":\"c\",\"n\":3}"}));
  harness_.close();
  EXPECT_EQ(broker_.packets.back().type, Type::kDisconnect);
}

TEST_F(MqttSinkTest, keeps_to_its_window) {
  options_.set("window", int64_t{2});
  broker_.on_packet = nullptr;
  start();
  Delivery delivery = three();
  harness_.begin(delivery);
  EXPECT_TRUE(harness_.wait([this] { return published().size() == 2; }));
  acknowledge();
  broker_.say_ack(Type::kPuback, 2);  // out of order
  EXPECT_TRUE(harness_.wait([this] { return published().size() == 3; }));
  EXPECT_FALSE(harness_.answer());
  broker_.say_ack(Type::kPuback, 1);
  EXPECT_TRUE(harness_.wait([this] { return harness_.answer().has_value(); }));
  EXPECT_EQ(harness_.answer()->outcome, Outcome::kDelivered);
}

TEST_F(MqttSinkTest, after_a_lost_connection_only_what_was_not_acknowledged_is_sent_again) {
  broker_.on_packet = [this](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish) return;
    if (published().size() < 3) return broker_.say_ack(Type::kPuback, id(packet));
    peer.hang_up();
  };
  start();
  Delivery delivery = three();
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  acknowledge();
  EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), 4U);
  EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), 7U);
}

TEST_F(MqttSinkTest, records_without_a_topic_are_rejected_before_anything_is_sent) {
  start();
  Delivery delivery = harness_.records({{{"site", text("a")}},
                                        {{"site", Value::null()}},
                                        {{"other", text("x")}},
                                        {{"site", text("b/#")}},
                                        {{"site", text("\n")}}});
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1, 2, 3, 4}));
  ASSERT_EQ(answer.bad_reasons.size(), 4U);  // each its own
  EXPECT_NE(answer.reason_of(0).find("\"site\" is null"), std::string::npos);
  EXPECT_NE(answer.reason_of(1).find("no field"), std::string::npos) << answer.reason_of(1);
  EXPECT_NE(answer.reason_of(2).find("b/#"), std::string::npos) << answer.reason_of(2);
  EXPECT_TRUE(published().empty());
}

TEST_F(MqttSinkTest, the_payload_can_be_a_template) {
  options_.set("payload", "{n}"s);
  options_.set("topic", "t"s);
  start();
  EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
  EXPECT_EQ(published(), (std::vector<std::string>{"t 1", "t 2", "t 3"}));
}

TEST_F(MqttSinkTest, a_broker_of_mqtt_5_says_what_it_refuses) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x03\x00\x00\x00"s;
  broker_.on_packet = [this](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish) return;
    bool second = packet.body.find("plant/b") != std::string::npos;
    peer.say("\x40\x03\x00"s + static_cast<char>(id(packet)) + (second ? "\x90" : "\x10"));
  };
  start();
  Delivery delivery = three();
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
  EXPECT_NE(answer.reason.find("topic name invalid"), std::string::npos);
  size_t before = published().size();
  // The engine delivers the others again: the broker has them.
  Delivery rest = delivery;
  rest.parts = {{delivery.parts[0].batch, 0, 1}, {delivery.parts[0].batch, 2, 1}};
  rest.records = 2;
  EXPECT_EQ(harness_.deliver(rest).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), before);
}

TEST_F(MqttSinkTest, a_quota_or_a_missing_permission_rejects_no_record) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x03\x00\x00\x00"s;
  broker_.on_packet = [](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type == Type::kPublish)
      peer.say("\x40\x03\x00"s + static_cast<char>(id(packet)) + "\x97");
  };
  start();
  Answer answer = harness_.deliver(three());
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("quota exceeded"), std::string::npos);
}

TEST_F(MqttSinkTest, a_broker_that_cannot_do_what_is_asked_is_told) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x05\x00\x00\x02\x24\x01"s;  // Maximum QoS 1
  start(2);
  Answer answer = harness_.deliver(three());
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("QoS 1 at most"), std::string::npos);
}

TEST_F(MqttSinkTest, a_message_larger_than_the_broker_takes_is_rejected) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x08\x00\x00\x05\x27\x00\x00\x00\x20"s;  // Maximum Packet Size 32
  start();
  Delivery delivery = harness_.records({{{"site", text("a")}}, {{"site", text("a long name")}}});
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
}

TEST_F(MqttSinkTest, a_broker_that_falls_silent_is_given_up) {
  options_.set("timeout", int64_t{50});
  broker_.on_packet = nullptr;
  start();
  Answer answer = harness_.deliver(three());
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("no acknowledgement"), std::string::npos);
}

TEST_F(MqttSinkTest, a_broker_that_is_away_is_no_error) {
  options_.set("url", "mqtt://127.0.0.1:1"s);
  start();
  Answer answer = harness_.deliver(three());
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("connection refused"), std::string::npos) << answer.reason;
}

TEST_F(MqttSinkTest, can_be_closed_in_the_middle) {
  broker_.on_packet = nullptr;
  start();
  Delivery delivery = three();
  harness_.begin(delivery);
  EXPECT_TRUE(harness_.wait([this] { return published().size() == 3; }));
  harness_.close();
  EXPECT_FALSE(harness_.answer());
}

}  // namespace
}  // namespace leat::testing
