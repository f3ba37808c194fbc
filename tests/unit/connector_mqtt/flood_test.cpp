// What a hostile broker can make the source hold: on a Unix socket, whose buffers do not grow.
#include "source_fixture.h"

namespace leat::testing {
namespace {

// Brokers that send without end and read nothing.
class MqttFloodTest : public MqttOnceTest {
 protected:
  MqttFloodTest() {
    broker_ = std::make_unique<ScriptedBroker>(&loop_, dir_ / "socket");
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
  commit();
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

}  // namespace
}  // namespace leat::testing
