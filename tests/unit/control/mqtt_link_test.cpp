// The control topic's connection against a broker that does as scripted.
#include "control/topic/mqtt_link.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "connector_mqtt/scripted_broker.h"
#include "protocols/mqtt/connection_options.h"
#include "support/hand_loop.h"

namespace leat::control {
namespace {

using namespace std::string_literals;
using leat::testing::Peer;
using leat::testing::ScriptedBroker;

constexpr Option kOptions[] = {mqtt::kUrl,
                               mqtt::kVersionOption,
                               {.name = "clientId", .fallback = "gw"},
                               mqtt::kUserOption,
                               mqtt::kPasswordOption,
                               mqtt::kKeepAliveOption,
                               mqtt::kConnectTimeoutOption,
                               mqtt::kTimeoutOption,
                               mqtt::kTlsOption};

class MqttLinkTest : public ::testing::Test, protected LinkUser {
 protected:
  ~MqttLinkTest() override { link_.reset(); }

  void connect(const std::string& version) {
    std::signal(SIGPIPE, SIG_IGN);
    Options options(kOptions, "agent.control");
    options.set("url", broker_.url());
    options.set("version", version);
    auto link = mqtt_links(loop_)({.connection = options,
                                   .client_id = "gw",
                                   .will = {},
                                   .topics = {"t"},
                                   .subscribed = "",
                                   .on_subscribed = [](const std::string&) {}},
                                  queue_, *this);
    ASSERT_TRUE(link) << link.error().message();
    link_ = std::move(*link);
    wait([this] { return link_->up() && broker_.count(mqtt::PacketType::kSubscribe) > 0; });
  }
  void wait(const std::function<bool()>& done) {
    EXPECT_TRUE(leat::testing::run_until(loop_, done));
  }
  // All that was said has been read.
  void settle() {
    for (int i = 0; i < 50; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }

  void on_link_up() override {}
  bool on_message(const InMessage& message) override {
    ++offered_;
    if (takes_) taken_.push_back(message.settled);
    return takes_;
  }

  leat::testing::HandLoop loop_;
  ScriptedBroker broker_{loop_};
  OutQueue queue_;
  bool takes_ = true;
  int offered_ = 0;
  std::vector<std::function<void()>> taken_;  // each one's settled()
  std::unique_ptr<Link> link_;
};

TEST_F(MqttLinkTest, while_nothing_is_said_it_wakes_for_the_keep_alive_alone) {
  connect("3.1.1");
  for (size_t pings = 1; pings <= 4; ++pings) {
    // Until all that was said has been read. What is being closed, as the moment before, goes
    // first: while it is there, no turn waits.
    do uv_run(loop_.uv(), UV_RUN_NOWAIT);
    while (leat::testing::turn(loop_));
    const Milliseconds before = loop_.now();
    ASSERT_TRUE(loop_.advance_to_next());
    EXPECT_EQ(loop_.now() - before, Milliseconds{45'000}) << "three quarters of a minute";
    wait([this, pings] { return broker_.count(mqtt::PacketType::kPingreq) >= pings; });
    EXPECT_EQ(broker_.count(mqtt::PacketType::kPingreq), pings);
  }
  EXPECT_TRUE(link_->up());
}

TEST_F(MqttLinkTest, what_is_settled_is_that_message_and_no_other) {
  connect("3.1.1");
  broker_.publish(0, "junk", 0);
  broker_.publish(7, "a command");
  wait([this] { return !taken_.empty(); });
  settle();
  EXPECT_EQ(taken_.size(), 1U) << "one at a time, whatever its QoS";
  taken_[0]();
  wait([this] { return taken_.size() == 2; });
  taken_[0]();
  settle();
  EXPECT_EQ(broker_.acks(), "");
  taken_[1]();
  wait([this] { return broker_.acks() == "PUBACK 7"; });
}

TEST_F(MqttLinkTest, what_came_over_a_lost_connection_settles_nothing_of_the_next) {
  connect("3.1.1");
  broker_.publish(7, "a command");
  wait([this] { return !taken_.empty(); });
  broker_.peer().reset();
  wait([this] { return !link_->up(); });
  ASSERT_TRUE(loop_.advance_to_next());
  wait([this] { return link_->up(); });
  broker_.publish(7, "another");
  wait([this] { return taken_.size() == 2; });
  taken_[0]();
  settle();
  EXPECT_EQ(broker_.acks(), "");
  taken_[1]();
  wait([this] { return broker_.acks() == "PUBACK 7"; });
}

TEST_F(MqttLinkTest, what_was_not_taken_comes_again_when_it_goes_on) {
  connect("3.1.1");
  takes_ = false;
  broker_.publish(7, "a command");
  wait([this] { return offered_ == 1; });
  settle();
  EXPECT_EQ(broker_.acks(), "");
  takes_ = true;
  link_->go_on();
  wait([this] { return offered_ == 2; });
  taken_.at(0)();
  wait([this] { return broker_.acks() == "PUBACK 7"; });
}

TEST_F(MqttLinkTest, what_the_broker_refuses_is_said_once_a_minute) {
  broker_.connack = "\x20\x03\x00\x00\x00"s;
  broker_.subacks = "\x00\x01"s;
  broker_.on_packet = [](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type != mqtt::PacketType::kPublish) return;
    const auto topic = static_cast<size_t>(ScriptedBroker::id_of(packet.body));
    peer.say("\x40\x03" + packet.body.substr(2 + topic, 2) + "\x87");  // not authorised
  };
  ::testing::internal::CaptureStderr();
  connect("5");
  for (int i = 0; i < 2; ++i) queue_.add({.topic = "leat/gw/reply", .payload = "{}"});
  link_->send();
  wait([this] { return queue_.empty(); });
  const std::string log = ::testing::internal::GetCapturedStderr();
  const size_t said = log.find("the broker refused what was published on \"leat/gw/reply\": ");
  ASSERT_NE(said, std::string::npos) << log;
  EXPECT_NE(log.find("not authorised", said), std::string::npos) << log;
  EXPECT_EQ(log.find("refused what was published", said + 20), std::string::npos) << log;
}

}  // namespace
}  // namespace leat::control
