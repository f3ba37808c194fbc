// A message at which the broker closes the connection, for want of other words.
#include "sink_fixture.h"

namespace leat::testing {
namespace {

class MqttIsolationTest : public MqttSinkTest {
 protected:
  // A broker that closes the connection at messages on such topics, and acknowledges others.
  void closes_at(std::vector<std::string> topics) {
    broker_.on_packet = [this, topics](Peer& peer, const ScriptedBroker::Packet& packet) {
      if (packet.type != Type::kPublish || !peer.open()) return;
      for (const std::string& topic : topics)
        if (packet.body.find(topic) != std::string::npos) return closes(peer);
      broker_.say_ack(Type::kPuback, id(packet));
    };
  }
  virtual void closes(Peer& peer) { peer.hang_up(); }
  // As the engine: again until it is more than "not now".
  Answer deliver(const Delivery& delivery) {
    for (int i = 0; i < 10; ++i) {
      Answer answer = harness_.deliver(delivery, Milliseconds{10'000});
      if (answer.outcome != Outcome::kRetry) return answer;
    }
    return Answer::retry("for ever");
  }
  size_t times(const std::string& topic) const {
    size_t n = 0;
    for (const std::string& one : published()) n += one.starts_with(topic + " ") ? 1 : 0;
    return n;
  }
};

TEST_F(MqttIsolationTest, the_culprit_is_rejected_and_the_others_are_delivered) {
  closes_at({"plant/b"});
  start();
  Delivery delivery = three();
  Answer answer = deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
  EXPECT_NE(answer.reason.find("closes the connection at this message (\"plant/b\""),
            std::string::npos)
      << answer.reason;
  EXPECT_EQ(times("plant/a"), 1U);
  size_t before = published().size();
  EXPECT_EQ(harness_.deliver(rest(delivery, 2, 1)).outcome, Outcome::kDelivered);
  EXPECT_EQ(published().size(), before) << "the broker has it";
  EXPECT_GT(broker_.count(Type::kPingreq), 2U) << "the broker was asked first whether it is well";
}

// Whose fault it is shows only beside what gets through, which is the engine's to find out.
TEST_F(MqttIsolationTest, culprits_beside_which_nothing_gets_through_are_in_doubt) {
  closes_at({"plant/"});
  start();
  for (const size_t messages : {size_t{1}, size_t{2}}) {
    std::vector<Row> records(messages, Row{{"site", text("b")}});
    Answer answer = deliver(harness_.records(records));
    EXPECT_EQ(answer.outcome, Outcome::kRejected);
    EXPECT_TRUE(answer.in_doubt);
    EXPECT_EQ(answer.bad_records.size(), messages);
    EXPECT_NE(answer.reason.find("closes the connection at this message"), std::string::npos)
        << answer.reason;
  }
}

TEST_F(MqttIsolationTest, of_many_culprits_in_a_row_ten_are_told_and_the_rest_waits_for_an_answer) {
  closes_at({"plant/b"});
  start();
  std::vector<Row> records(14, Row{{"site", text("b")}});
  records.push_back({{"site", text("a")}});
  Delivery delivery = harness_.records(records);
  Answer answer = deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_TRUE(answer.in_doubt);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const size_t before = times("plant/a");
  answer = deliver(rest(delivery, 10, 5));
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_FALSE(answer.in_doubt) << "one got through";
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{0, 1, 2, 3}));
  EXPECT_EQ(times("plant/a"), before + 1);
}

TEST_F(MqttIsolationTest, no_other_client_with_its_name_is_suspected_then) {
  closes_at({"plant/b"});
  start();
  const Delivery lone = harness_.records({{{"site", text("b")}}});
  EXPECT_TRUE(deliver(lone).in_doubt);
  for (int i = 0; i < 4; ++i) {
    Answer answer = harness_.deliver(lone, Milliseconds{10'000});
    EXPECT_EQ(answer.reason.find("client id"), std::string::npos) << answer.reason;
  }
}

TEST_F(MqttIsolationTest, a_broker_that_goes_away_for_a_while_costs_no_record) {
  int closed = 0;
  broker_.on_packet = [this, &closed](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish || !peer.open()) return;
    if (++closed <= 5) return peer.reset();
    broker_.say_ack(Type::kPuback, id(packet));
  };
  start();
  EXPECT_EQ(deliver(three()).outcome, Outcome::kDelivered);
}

// MQTT 5 has words for it, but not for which message it was.
class MqttToldTest : public MqttIsolationTest {
 protected:
  MqttToldTest() {
    options_.set("version", "5"s);
    broker_.connack = "\x20\x03\x00\x00\x00"s;
  }
  void closes(Peer& peer) override {
    peer.say("\xE0\x01"s + reason_);
    peer.hang_up();
  }
  char reason_ = '\x95';
};

TEST_F(MqttToldTest, what_the_broker_says_as_it_closes_is_the_reason) {
  closes_at({"plant/b"});
  start();
  Answer answer = deliver(three());
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
  EXPECT_NE(answer.reason.find("packet too large"), std::string::npos) << answer.reason;
  EXPECT_LE(times("plant/b"), 4U);
}

// As mosquitto does with what it does not permit: it says so, and closes.
TEST_F(MqttToldTest, a_broker_that_closes_behind_its_refusal_is_known_to_mean_that_message) {
  broker_.on_packet = [this](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type != Type::kPublish || !peer.open()) return;
    const bool bad = packet.body.find("plant/b") != std::string::npos;
    peer.say("\x40\x03\x00"s + static_cast<char>(id(packet)) + (bad ? "\x87"s : "\0"s));
    if (bad) peer.hang_up();
  };
  start();
  ::testing::internal::CaptureStderr();
  Answer answer = harness_.deliver(three(), Milliseconds{10'000});
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(answer.outcome, Outcome::kRejected) << answer.reason;
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1}));
  EXPECT_NE(answer.reason.find("not authorised"), std::string::npos) << answer.reason;
  EXPECT_EQ(times("plant/b"), 1U);
  EXPECT_EQ(said.find("client id"), std::string::npos) << said;
}

TEST_F(MqttToldTest, a_broker_that_shuts_down_blames_no_message) {
  reason_ = '\x8B';
  closes_at({"plant/b"});
  start();
  Delivery delivery = three();
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(harness_.deliver(delivery, Milliseconds{10'000}).outcome, Outcome::kRetry);
}

}  // namespace
}  // namespace leat::testing
