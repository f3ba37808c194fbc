// What a hostile broker can make the source hold: on a Unix socket, whose buffers do not grow.
#include "source_fixture.h"
#include "support/temp_dir.h"

namespace leat::testing {
namespace {

// Brokers that send without end and read nothing.
class MqttFloodTest : public MqttOnceTest {
 protected:
  MqttFloodTest() {
    broker_ = std::make_unique<ScriptedBroker>(loop_, dir_ / "socket");
    broker_->subacks = "\x02"s;
    broker_->connack = kResumed;
    options_.set("url", broker_->url());
    options_.set("receiveMaximum", int64_t{10});
  }
  static std::string pubrels(size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += "\x62\x02\x12\x34"s;
    return out;
  }
  // Says all of it, as far as the source reads; returns what it leaves unread.
  size_t flood(const std::string& bytes) {
    broker_->counts_only = true;
    broker_->peer().say(bytes);
    size_t left = bytes.size();
    for (int quiet = 0; quiet < 20; ++quiet) {
      settle();
      if (broker_->peer().unsaid() < left) quiet = 0;
      left = broker_->peer().unsaid();
    }
    return left;
  }
  bool wait_all_read() {
    return wait([this] { return broker_->peer().unsaid() == 0; });
  }

  TempDir dir_;
};

constexpr size_t kFlood = 500'000;  // PUBRELs: 2 MB, and as much in answers

TEST_F(MqttFloodTest, a_broker_that_does_not_read_its_answers_is_not_read_either) {
  exactly_once_ = false;
  start_and_subscribe();
  broker_->peer().stop_reading();
  EXPECT_GT(flood(pubrels(kFlood)), kFlood);
  broker_->peer().read_on();
  wait_all_read();
  wait([this] { return broker_->bytes == 4 * kFlood; });
}

TEST_F(MqttFloodTest, no_more_pubrels_wait_for_the_journal_than_messages_may) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  deliver();
  wait_acks("PUBREC 1");
  EXPECT_GT(flood("\x62\x02\x00\x01"s + pubrels(kFlood)), kFlood) << "PUBCOMP 1 is not durable";
  ASSERT_EQ(saves_.size(), 1U);
  saves_[0].second({});
  wait_all_read();
  wait([this] { return broker_->bytes == 4 * (kFlood + 1); });
}

TEST_F(MqttFloodTest, a_broker_that_reads_nothing_for_long_is_given_up) {
  exactly_once_ = false;
  options_.set("keepAlive", int64_t{1000});
  options_.set("timeout", int64_t{100});
  start_and_subscribe();
  broker_->peer().stop_reading();
  flood(pubrels(kFlood));
  broker_->counts_only = false;
  wait([this] { return broker_->connections() == 2; });
}

TEST_F(MqttSourceTest, what_waits_for_its_acknowledgement_counts_with_its_topic) {
  takes_empty_ = true;
  options_.set("qos", int64_t{0});
  broker_->subacks = "\0"s;
  start_and_subscribe();
  for (uint16_t i = 0; i < 20; ++i)
    broker_->publish(0, "", 0, false, "t/" + std::to_string(i) + std::string(60'000, 'x'));
  wait_messages(20);
  for (const BatchRef& batch : held_) batch->slices.clear();
  held_.clear();
  EXPECT_GT(budget_.used(), 20 * 60'000U);
  ack_all();
  EXPECT_LT(budget_.used(), 200'000U);
}

TEST_F(MqttSourceTest, a_packet_that_has_not_come_whole_counts) {
  start_and_subscribe();
  broker_->peer().say("\x30\x80\x80\x20"s + std::string(400'000, '\0'));
  wait([this] { return budget_.used() > 400'000; });
}

TEST_F(MqttSourceTest, a_message_with_countless_user_properties_is_a_dead_letter) {
  takes_empty_ = true;
  options_.set("version", "5"s);
  broker_->connack = "\x20\x03\x00\x00\x00"s;
  broker_->on_packet = [this](Peer& peer, const ScriptedBroker::Packet& packet) {
    if (packet.type == Type::kSubscribe) peer.say("\x90\x04"s + packet.body.substr(0, 2) + "\0\1"s);
  };
  broker_->answers_subscribe = false;
  start_and_subscribe();
  std::string pairs;
  for (int i = 0; i < 1001; ++i) pairs += "\x26\x00\x01k\x00\x01v"s;  // 7007 bytes
  broker_->peer().say("\x32\xE6\x36\x00\x01t\x00\x01\xDF\x36"s + pairs);
  wait([this] { return !rejected_.empty(); });
  EXPECT_NE(rejected_.find("more than 1000 user properties"), std::string::npos) << rejected_;
}

}  // namespace
}  // namespace leat::testing
