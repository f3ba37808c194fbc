// How the source subscribes: to brokers with limits, and to those that refuse by closing.
#include "source_fixture.h"

namespace leat::testing {
namespace {

class MqttSubscribeTest : public MqttSourceTest {
 protected:
  MqttSubscribeTest() {
    broker_->answers_subscribe = false;
    broker_->on_packet = [this](Peer& peer, const ScriptedBroker::Packet& packet) {
      if (packet.type != Type::kSubscribe || !peer.open()) return;
      std::vector<std::string> asked = filters(packet.body);
      if (asked.size() > at_once_) return peer.hang_up();
      for (const std::string& filter : asked)
        if (filter == closes_at_) return peer.hang_up();
      subscribed_.insert(subscribed_.end(), asked.begin(), asked.end());
      peer.say("\x90" + std::string(1, static_cast<char>(2 + asked.size())) +
               packet.body.substr(0, 2) + std::string(asked.size(), '\x01'));
    };
  }
  // Of a SUBSCRIBE of 3.1.1.
  static std::vector<std::string> filters(const std::string& body) {
    std::vector<std::string> out;
    for (size_t at = 2; at < body.size();) {
      auto size = static_cast<size_t>(ScriptedBroker::id_of(body.substr(at)));
      out.push_back(body.substr(at + 2, size));
      at += 2 + size + 1;
    }
    return out;
  }
  void topics(size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) names.push_back("t/" + std::to_string(i));
    options_.set("topics", names);
  }

  size_t at_once_ = SIZE_MAX;
  std::string closes_at_;
  std::vector<std::string> subscribed_;
};

TEST_F(MqttSubscribeTest, asks_for_eight_topics_at_a_time) {
  topics(20);
  at_once_ = 8;
  start();
  wait([this] { return subscribed_.size() == 20; });
  EXPECT_EQ(broker_->count(Type::kSubscribe), 3U);
  EXPECT_EQ(broker_->connections(), 1U);
}

TEST_F(MqttSubscribeTest, asks_for_one_at_a_time_where_the_broker_closes_at_more) {
  topics(3);
  at_once_ = 1;
  ::testing::internal::CaptureStderr();
  start();
  wait([this] { return subscribed_.size() == 3; });
  std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("one at a time from now on"), std::string::npos) << said;
  EXPECT_EQ(said.find("another client"), std::string::npos) << said;
  EXPECT_EQ(broker_->connections(), 2U);
}

TEST_F(MqttSubscribeTest, a_topic_at_which_the_broker_closes_is_left_out_and_the_others_work) {
  topics(3);
  closes_at_ = "t/1";
  ::testing::internal::CaptureStderr();
  start();
  wait([this] { return !subscribed_.empty() && subscribed_.back() == "t/2"; });
  std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("refuses the subscription to \"t/1\": it closes the connection"),
            std::string::npos)
      << said;
  settle();
  broker_->publish(1, "one");
  wait_messages(1);
}

// --- what MQTT 5 tells of a message -------------------------------------------------------------

class MqttSubscribe5Test : public MqttSourceTest {
 protected:
  MqttSubscribe5Test() {
    options_.set("version", "5"s);
    options_.set("topics", std::vector<std::string>{"t/#", "t/+"});
    broker_->connack = "\x20\x03\x00\x00\x00"s;
    broker_->answers_subscribe = false;
    broker_->on_packet = [](Peer& peer, const ScriptedBroker::Packet& packet) {
      if (packet.type == Type::kSubscribe)
        peer.say("\x90\x04"s + packet.body.substr(0, 2) + "\x00\x01"s);
    };
  }
  std::vector<std::string> subscribes() const {
    std::vector<std::string> out;
    for (const ScriptedBroker::Packet& packet : broker_->packets)
      if (packet.type == Type::kSubscribe) out.push_back(packet.body.substr(2));
    return out;
  }
  const Value& field(size_t i) const { return held_.back()->message_fields.back().values[i]; }
};

TEST_F(MqttSubscribe5Test, retained_means_the_same_as_in_3_1_1) {
  options_.set("topics", std::vector<std::string>{"t/#"});
  options_.set("fields", std::vector<std::string>{"retained"});
  start();
  wait([this] { return subscribes().size() == 1; });
  EXPECT_EQ(subscribes()[0], "\x00\x00\x03t/#\x11"s) << "without Retain As Published";
}

TEST_F(MqttSubscribe5Test, retain_is_as_it_was_published) {
  options_.set("topics", std::vector<std::string>{"t/#"});
  options_.set("fields", std::vector<std::string>{"retain"});
  start();
  wait([this] { return subscribes().size() == 1; });
  EXPECT_EQ(subscribes()[0], "\x00\x00\x03t/#\x19"s) << "with Retain As Published";
  broker_->peer().say("\x31\x05\x00\x01t\x00x"s);
  wait_messages(1);
  EXPECT_EQ(field(0).integer, 1);
}

TEST_F(MqttSubscribe5Test, copies_of_a_message_are_told_apart_by_their_subscriptions) {
  options_.set("fields", std::vector<std::string>{"subscriptions"});
  start();
  wait([this] { return subscribes().size() == 2; });
  // "\x05" "\x0B" and four bytes of the identifier of the second.
  std::string identifier = subscribes()[1].substr(1, static_cast<size_t>(subscribes()[1][0]));
  EXPECT_EQ(identifier[0], '\x0B');
  EXPECT_NE(identifier, subscribes()[0].substr(1, static_cast<size_t>(subscribes()[0][0])));
  broker_->peer().say("\x30"s + static_cast<char>(3 + 1 + identifier.size() + 1) + "\x00\x01t"s +
                      static_cast<char>(identifier.size()) + identifier + "x");
  wait_messages(1);
  EXPECT_EQ(field(0).view(), "[\"t/+\"]");
}

TEST_F(MqttSourceTest, retain_is_not_known_with_3_1_1) {
  options_.set("fields", std::vector<std::string>{"retain", "subscriptions"});
  start_and_subscribe();
  broker_->publish(1, "one");
  wait_messages(1);
  EXPECT_EQ(held_.back()->message_fields.back().values[0].type, leat::Type::kNull);
}

}  // namespace
}  // namespace leat::testing
