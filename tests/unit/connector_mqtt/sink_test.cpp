// The mqtt sink on a real loop, against a broker that does as scripted.
#include "sink_fixture.h"

namespace leat::testing {
namespace {

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

TEST_F(MqttSinkTest, records_without_a_topic_are_rejected_and_the_others_are_sent_once) {
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
  EXPECT_NE(answer.why(0).reason.find("\"site\" is null"), std::string::npos);
  EXPECT_NE(answer.why(1).reason.find("no field"), std::string::npos) << answer.why(1).reason;
  EXPECT_NE(answer.why(2).reason.find("b/#"), std::string::npos) << answer.why(2).reason;
  EXPECT_EQ(harness_.deliver(rest(delivery, 0, 1)).outcome, Outcome::kDelivered);
  EXPECT_EQ(published(), (std::vector<std::string>{"plant/a {\"site\":\"a\"}"}));
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
  Delivery others = delivery;
  others.parts = {{delivery.parts[0].batch, 0, 1}, {delivery.parts[0].batch, 2, 1}};
  others.records = 2;
  EXPECT_EQ(harness_.deliver(others).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), before);
}

TEST_F(MqttSinkTest, what_this_client_may_not_publish_is_rejected_when_others_get_through) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x03\x00\x00\x00"s;
  broker_.on_packet = [](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish) return;
    bool second = packet.body.find("plant/b") != std::string::npos;
    peer.say("\x40\x03\x00"s + static_cast<char>(id(packet)) + (second ? "\x87"s : "\0"s));
  };
  start();
  Answer answer = harness_.deliver(three());
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_FALSE(answer.in_doubt);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
  EXPECT_NE(answer.reason.find("not authorised (topic \"plant/b\")"), std::string::npos)
      << answer.reason;
}

TEST_F(MqttSinkTest, where_nothing_is_permitted_that_is_in_doubt) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x03\x00\x00\x00"s;
  bool permits = false;
  broker_.on_packet = [&permits](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type == Type::kPublish)
      peer.say("\x40\x03\x00"s + static_cast<char>(id(packet)) + (permits ? "\0"s : "\x87"s));
  };
  start();
  Delivery delivery = three();
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_TRUE(answer.in_doubt);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_NE(answer.why(1).reason.find("plant/b"), std::string::npos) << answer.why(1).reason;
  permits = true;
  EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kDelivered) << "they are sent again";
}

TEST_F(MqttSinkTest, a_quota_rejects_no_record) {
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

// Nobody acknowledges them, so it is for leat to know that they were sent.
TEST_F(MqttSinkTest, of_qos_0_too_what_is_beside_a_bad_one_is_sent_once) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x08\x00\x00\x05\x27\x00\x00\x00\x20"s;  // Maximum Packet Size 32
  start(0);
  Delivery delivery = harness_.records(
      {{{"site", text("a")}}, {{"site", text("a long name")}}, {{"site", text("c")}}});
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
  Delivery others = delivery;
  others.parts = {{delivery.parts[0].batch, 0, 1}, {delivery.parts[0].batch, 2, 1}};
  others.records = 2;
  EXPECT_EQ(harness_.deliver(others).outcome, Outcome::kDelivered);
  settle();
  EXPECT_EQ(published().size(), 2U);
}

TEST_F(MqttSinkTest, a_broker_that_falls_silent_is_given_up) {
  options_.set("timeout", int64_t{50});
  broker_.on_packet = nullptr;
  start();
  Answer answer = harness_.deliver(three(), Milliseconds{100});
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

TEST_F(MqttSinkTest, the_next_delivery_follows_while_the_first_waits_for_its_acknowledgement) {
  broker_.on_packet = nullptr;
  start();
  Delivery first = harness_.records({{{"site", text("a")}}, {{"bad", text("x")}}});
  Delivery second = harness_.records({{{"site", text("b")}}});
  harness_.begin(first);
  std::vector<std::string> answers;
  harness_.sink().deliver(second, [&answers](const Answer&) { answers.emplace_back("second"); });
  EXPECT_TRUE(harness_.wait([this] { return published().size() == 2; }));
  EXPECT_EQ(published()[1], "plant/b {\"site\":\"b\"}");
  broker_.say_ack(Type::kPuback, 2);
  broker_.say_ack(Type::kPuback, 1);
  EXPECT_TRUE(harness_.wait([&answers] { return !answers.empty(); }));
  ASSERT_TRUE(harness_.answer()) << "the first is answered first";
  EXPECT_EQ(harness_.answer()->bad_records, (std::vector<uint32_t>{1}));
}

TEST_F(MqttSinkTest,
       both_deliveries_of_a_lost_connection_are_sent_again_but_what_was_acknowledged) {
  broker_.on_packet = nullptr;
  start();
  Delivery first = harness_.records({{{"site", text("a")}}});
  Delivery second = harness_.records({{{"site", text("b")}}, {{"site", text("c")}}});
  harness_.begin(first);
  std::optional<Answer> answer;
  harness_.sink().deliver(second, [&answer](Answer given) { answer = std::move(given); });
  EXPECT_TRUE(harness_.wait([this] { return published().size() == 3; }));
  broker_.say_ack(Type::kPuback, 2);
  broker_.peer().hang_up();
  EXPECT_TRUE(harness_.wait([&answer] { return answer.has_value(); }));
  EXPECT_EQ(answer->outcome, Outcome::kRetry);
  EXPECT_EQ(harness_.answer()->outcome, Outcome::kRetry);
  acknowledge();
  EXPECT_EQ(harness_.deliver(first).outcome, Outcome::kDelivered);
  EXPECT_EQ(harness_.deliver(second).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), 5U);
  EXPECT_EQ(published()[4], "plant/c {\"site\":\"c\"}");
}

// --- brokers with ways of their own -------------------------------------------------------------

TEST_F(MqttSinkTest, qos_2_that_is_acknowledged_as_qos_1_is_delivered) {
  broker_.on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
    if (packet.type == Type::kPublish) broker_.say_ack(Type::kPuback, id(packet));
  };
  start(2);
  EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), 3U);
}

TEST_F(MqttSinkTest, qos_1_that_is_acknowledged_as_qos_2_is_delivered_and_let_go) {
  broker_.on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
    if (packet.type == Type::kPublish) broker_.say_ack(Type::kPubrec, id(packet));
  };
  start(1);
  EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
  EXPECT_TRUE(harness_.wait([this] { return broker_.count(Type::kPubrel) == 3; }));
}

TEST_F(MqttSinkTest, pubrel_goes_once_however_often_the_broker_says_pubrec) {
  broker_.on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish) return;
    for (int i = 0; i < 100; ++i) broker_.say_ack(Type::kPubrec, id(packet));
    for (int i = 0; i < 100; ++i) broker_.say_ack(Type::kPubrec, 999);
    broker_.say_ack(Type::kPubcomp, id(packet));
  };
  start(2);
  EXPECT_EQ(harness_.deliver(harness_.records({{{"site", text("a")}}})).outcome,
            Outcome::kDelivered);
  harness_.close();
  EXPECT_EQ(broker_.count(Type::kPubrel), 1U);
}

TEST_F(MqttSinkTest, messages_that_the_broker_sends_unasked_are_acknowledged_and_let_go) {
  broker_.on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish) return;
    broker_.publish(1, "hello", 1);
    broker_.publish(2, "hello", 2);
    broker_.say_ack(Type::kPubrel, 2);
    broker_.say_ack(Type::kPuback, id(packet));
  };
  start();
  EXPECT_EQ(harness_.deliver(harness_.records({{{"site", text("a")}}})).outcome,
            Outcome::kDelivered);
  EXPECT_TRUE(harness_.wait([this] { return broker_.acks() == "PUBACK 1, PUBREC 2, PUBCOMP 2"; }));
  EXPECT_EQ(broker_.connections(), 1U);
}

// Both are told: each takes the other's connection, and neither loses a message.
TEST_F(MqttSinkTest, another_client_with_its_name_is_told_when_the_broker_says_so) {
  options_.set("version", "5"s);
  broker_.connack = "\x20\x03\x00\x00\x00"s;
  start();
  EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
  ::testing::internal::CaptureStderr();
  broker_.peer().say("\xE0\x01\x8E"s);
  EXPECT_TRUE(harness_.wait([this] { return broker_.peer().ended; }));
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(
                "another client uses the client id \"leat-gw-1-line-1-sink\""),
            std::string::npos);
}

TEST_F(MqttSinkTest, another_client_with_its_name_is_suspected_when_idle_connections_are_closed) {
  start();
  ::testing::internal::CaptureStderr();
  for (size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(harness_.deliver(three()).outcome, Outcome::kDelivered);
    broker_.peer().hang_up();
    settle();
  }
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(
                "does another client use the client id \"leat-gw-1-line-1-sink\"?"),
            std::string::npos);
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
