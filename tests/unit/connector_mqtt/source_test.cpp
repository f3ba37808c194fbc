// The mqtt source on a real loop, against a broker that does as scripted.
#include "source_fixture.h"

namespace leat::testing {
namespace {

TEST_F(MqttSourceTest, acknowledges_only_what_is_safe) {
  start_and_subscribe();
  broker_->publish(1, "one");
  broker_->publish(2, "two");
  wait_messages(2);
  settle();
  EXPECT_EQ(broker_->acks(), "");
  ack_all();
  wait_acks("PUBACK 1, PUBACK 2");
}

TEST_F(MqttSourceTest, its_default_name_is_the_same_after_each_start) {
  start_and_subscribe();
  EXPECT_NE(broker_->packets[0].body.find("leat-gw-1-line-1"), std::string::npos);
}

TEST_F(MqttSourceTest, reads_nothing_without_credit_and_goes_on_with_it) {
  credit_ = 0;
  start_and_subscribe();
  broker_->publish(1, "one");
  settle();
  EXPECT_TRUE(messages_.empty());
  give_credit(1);
  wait_messages(1);
  EXPECT_EQ(messages_[0], "one");
}

TEST_F(MqttSourceTest, does_not_read_beyond_receive_maximum) {
  options_.set("receiveMaximum", int64_t{2});
  start_and_subscribe();
  for (uint16_t id = 1; id <= 5; ++id) broker_->publish(id, "x");
  wait_messages(2);
  settle();
  EXPECT_EQ(messages_.size(), 2U);
  EXPECT_TRUE(in_flight_full_);
  ack_all();
  wait_messages(4);
  EXPECT_EQ(messages_.size(), 4U);
}

TEST_F(MqttSourceTest, asks_for_as_many_messages_at_once_as_its_memory_is_good_for) {
  options_.set("version", "5"s);
  start();
  wait([this] { return broker_->count(Type::kConnect) > 0; });
  EXPECT_NE(broker_->packets[0].body.find("\x21\x7F\xFF"s), std::string::npos);
}

// What has come and is not read would fill the window as well.
TEST_F(MqttSourceTest, when_memory_is_short_the_many_that_wait_are_a_full_window) {
  start_and_subscribe();
  for (uint16_t id = 1; id <= 1'000; ++id) broker_->publish(id, "x");
  wait_messages(1'000);
  credit_ = 0;
  broker_->publish(1'001, "x");
  wait([this] { return in_flight_full_ && patience_ == Milliseconds{100}; });
  credit_ = 1;
  ack_all();
  wait_messages(1'001);
  EXPECT_FALSE(in_flight_full_);
}

TEST_F(MqttSourceTest, few_that_wait_for_memory_may_be_large_ones_and_are_not) {
  start_and_subscribe();
  for (uint16_t id = 1; id <= 5; ++id) broker_->publish(id, "x");
  wait_messages(5);
  credit_ = 0;
  broker_->publish(6, "x");
  settle();
  EXPECT_FALSE(in_flight_full_);
}

TEST_F(MqttSourceTest, learns_how_many_messages_the_broker_sends_at_once) {
  start_and_subscribe();
  uint16_t id = 0;
  for (int round = 0; round < 100 && !in_flight_full_; ++round) {
    ack_all();
    for (int i = 0; i < 20; ++i) broker_->publish(++id, "x");
    wait_messages(id);
    // When nothing more comes, that is its window; it is said when it is full again.
    settle();
    loop_.advance(Milliseconds{50});
  }
  EXPECT_TRUE(in_flight_full_);
  ack_all();
  EXPECT_FALSE(in_flight_full_);
}

TEST_F(MqttSourceTest, a_broker_that_holds_messages_back_is_told_with_its_window) {
  start_and_subscribe();
  ::testing::internal::CaptureStderr();
  std::string said;
  uint16_t id = 0;
  // Until the broker was seen to fill its window again at once, five times.
  for (int round = 0; round < 200 && said.find("while 20 wait") == std::string::npos; ++round) {
    for (int i = 0; i < 20; ++i) broker_->publish(++id, "x");
    if (round == 0) {
      wait([this] { return in_flight_full_; });
    } else {  // at once: no time passes
      ASSERT_TRUE(run_until(loop_, [this, id] { return messages_.size() >= id; }));
    }
    ack_all();
    said += ::testing::internal::GetCapturedStderr();
    ::testing::internal::CaptureStderr();
  }
  ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("max_queued_messages"), std::string::npos) << said;
}

TEST_F(MqttSourceTest, a_full_window_is_told_as_soon_as_it_is_known) {
  start_and_subscribe();
  for (uint16_t id = 1; id <= 20; ++id) broker_->publish(id, "x");
  wait([this] { return in_flight_full_; });
  ack_all();
  EXPECT_FALSE(in_flight_full_);
}

TEST_F(MqttSourceTest, what_a_kept_session_sends_again_is_emitted_once) {
  start_and_subscribe();
  broker_->connack = kResumed;
  broker_->publish(1, "one");
  broker_->publish(2, "two");
  wait_messages(2);
  reconnect();
  broker_->publish(1, "one", 1, true);
  broker_->publish(2, "two", 1, true);
  broker_->publish(3, "three");
  wait_messages(3);
  EXPECT_EQ(messages_[2], "three");
  ack_all();
  wait_acks("PUBACK 1, PUBACK 2, PUBACK 3");
  EXPECT_EQ(broker_->count(Type::kSubscribe), 1U) << "or all retained messages would come again";
}

TEST_F(MqttSourceTest, subscribes_again_in_a_new_session) {
  start_and_subscribe();
  reconnect();
  wait([this] { return broker_->count(Type::kSubscribe) == 2; });
}

TEST_F(MqttSourceTest, goes_on_acknowledging_while_it_drains) {
  start_and_subscribe();
  broker_->publish(1, "one");
  wait_messages(1);
  ASSERT_TRUE(source_->drain());
  broker_->publish(2, "two");
  settle();
  EXPECT_EQ(messages_.size(), 1U);
  ack_all();
  stop();
  EXPECT_EQ(broker_->acks(), "PUBACK 1");
  EXPECT_EQ(broker_->packets.back().type, Type::kDisconnect);
}

TEST_F(MqttSourceTest, a_message_that_is_too_large_is_told_and_acknowledged) {
  options_.set("maxPacket", int64_t{1024});
  start_and_subscribe();
  broker_->publish(1, std::string(100'000, 'x'), 1, false, "t/big");
  broker_->publish(2, "two");
  wait_messages(1);
  EXPECT_EQ(messages_[0], "two");
  EXPECT_NE(rejected_.find("t/big: a message of"), std::string::npos) << rejected_;
  ack_all();
  wait_acks("PUBACK 1, PUBACK 2");
}

// The specifications want the connection closed; the broker must not bring it again for ever.
TEST_F(MqttSourceTest, a_message_with_a_malformed_topic_is_a_dead_letter_once) {
  start_and_subscribe();
  broker_->connack = kResumed;
  broker_->publish(1, "one", 1, false, "t/\xFF");
  wait([this] { return broker_->connections() == 2; });
  settle();
  broker_->publish(1, "one", 1, true, "t/\xFF");
  broker_->publish(2, "two");
  wait_messages(1);
  EXPECT_NE(rejected_.find("not UTF-8"), std::string::npos);
  EXPECT_EQ(rejected_.find("not UTF-8"), rejected_.rfind("not UTF-8"));
  ack_all();
  wait_acks("PUBACK 1, PUBACK 2");
}

TEST_F(MqttSourceTest, a_payload_that_is_empty_is_a_dead_letter_with_that_reason) {
  start_and_subscribe();
  broker_->publish(1, "");
  broker_->publish(2, "two");
  wait_messages(1);
  EXPECT_EQ(messages_[0], "two");
  EXPECT_EQ(rejected_, ": the payload is empty\n");
  ack_all();
  wait_acks("PUBACK 1, PUBACK 2");
}

TEST_F(MqttSourceTest, of_several_that_come_at_once_each_that_is_rejected_has_its_own_topic) {
  start_and_subscribe();
  std::string packets;
  for (const char* topic : {"t/a", "t/b"})
    append_publish(packets, mqtt::Version::k311, {.topic = topic, .qos = 0}, "");
  append_publish(packets, mqtt::Version::k311, {.topic = "t/c", .qos = 0}, "three");
  broker_->peer().say(packets);
  wait_messages(1);
  ASSERT_EQ(rejected_at_.size(), 2U);
  EXPECT_TRUE(rejected_at_[0].ends_with(R"( t/a, message 1 {"topic":"t/a","qos":0})"))
      << rejected_at_[0];
  EXPECT_TRUE(rejected_at_[1].ends_with(R"( t/b, message 2 {"topic":"t/b","qos":0})"))
      << rejected_at_[1];
}

// It gave neither a record nor a dead letter.
TEST_F(MqttSourceTest, a_payload_that_is_blank_is_a_dead_letter_too) {
  start_and_subscribe();
  const std::string blanks[] = {" ", "\r\n", "\t \n", std::string(" \0\n\0", 4)};
  for (const std::string& blank : blanks) broker_->publish(0, blank, 0);
  broker_->publish(2, "two");
  wait_messages(1);
  EXPECT_EQ(messages_[0], "two");
  std::string all;
  for (size_t i = 0; i < std::size(blanks); ++i) all += blanks[i] + ": the payload is blank\n";
  EXPECT_EQ(rejected_, all);
}

TEST_F(MqttSourceTest, as_bytes_a_payload_may_be_empty) {
  takes_empty_ = true;
  start_and_subscribe();
  broker_->publish(1, "");
  wait_messages(1);
  EXPECT_EQ(rejected_, "");
}

TEST_F(MqttSourceTest, a_malformed_packet_ends_the_connection_and_no_more) {
  start_and_subscribe();
  broker_->peer().say("\x36\x03\x00\x01t"s);  // QoS 3
  wait([this] { return broker_->connections() == 2; });
  wait([this] { return broker_->count(Type::kSubscribe) == 2; });
  broker_->publish(1, "one");
  wait_messages(1);
}

TEST_F(MqttSourceTest, a_broker_that_does_not_answer_a_ping_is_given_up) {
  options_.set("keepAlive", int64_t{1000});
  broker_->answers_ping = false;
  start_and_subscribe();
  wait([this] { return broker_->count(Type::kPingreq) == 1; });
  wait([this] { return broker_->connections() == 2; });
}

TEST_F(MqttSourceTest, pings_keep_the_connection_while_nothing_is_read) {
  options_.set("keepAlive", int64_t{1000});
  credit_ = 0;
  start_and_subscribe();
  broker_->publish(1, "one");
  wait([this] { return broker_->count(Type::kPingreq) == 3; });
  EXPECT_EQ(broker_->connections(), 1U);
}

TEST_F(MqttSourceTest, a_refused_topic_is_asked_for_again_and_the_others_work) {
  options_.set("topics", std::vector<std::string>{"t/#", "secret"});
  broker_->subacks = "\x01\x80"s;
  start_and_subscribe();
  broker_->publish(1, "one");
  wait_messages(1);
  broker_->subacks = "\x01"s;
  wait([this] { return broker_->count(Type::kSubscribe) == 2; });
  EXPECT_EQ(broker_->packets.back().body.find("t/#"), std::string::npos);
  EXPECT_NE(broker_->packets.back().body.find("secret"), std::string::npos);
}

TEST_F(MqttSourceTest, lets_go_of_topics_of_an_earlier_configuration) {
  start_and_subscribe();
  wait([this] { return !remembered_.partition.empty(); });
  stop();
  journal_ = {{remembered_.partition, remembered_.value}};
  broker_->connack = kResumed;
  options_.set("topics", std::vector<std::string>{"other"});
  start();
  wait([this] { return broker_->count(Type::kUnsubscribe) == 1; });
}

TEST_F(MqttSourceTest, a_broker_of_3_1_1_is_met_half_way) {
  options_.set("version", "auto"s);
  broker_->connack = "\x20\x02\x00\x01"s;
  broker_->on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
    if (packet.type == Type::kConnect) broker_->connack = "\x20\x02\x00\x00"s;
  };
  start_and_subscribe();
  EXPECT_EQ(broker_->packets[0].body[6], 5);
  EXPECT_EQ(broker_->packets[1].body[6], 4);
}

// --- QoS 2 --------------------------------------------------------------------------------------

TEST_F(MqttOnceTest, what_was_committed_is_recognised_after_a_crash) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  deliver();
  wait_acks("PUBREC 1");
  kill();
  start();
  wait([this] { return broker_->connections() == 2; });
  settle();
  broker_->publish(1, "one", 2, true);
  wait_acks("PUBREC 1, PUBREC 1");
  EXPECT_EQ(messages_.size(), 1U);
}

TEST_F(MqttOnceTest, what_was_not_committed_is_emitted_again_after_a_crash) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  kill();
  start();
  wait([this] { return broker_->connections() == 2; });
  settle();
  broker_->publish(1, "one", 2, true);
  wait_messages(2);
}

TEST_F(MqttOnceTest, pubcomp_waits_until_the_identifier_is_free_for_good) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  deliver();
  EXPECT_EQ(journal_.begin()->second, "1");
  broker_->say_ack(Type::kPubrel, 1);
  wait([this] { return saves_.size() == 1; });
  settle();
  EXPECT_EQ(broker_->acks(), "PUBREC 1");
  EXPECT_EQ(saves_[0].first.value, "");
  saves_[0].second({});
  wait_acks("PUBREC 1, PUBCOMP 1");
}

TEST_F(MqttOnceTest, a_commit_that_is_to_come_frees_identifiers_without_a_save) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  deliver();
  broker_->publish(2, "two", 2);
  wait_messages(2);
  broker_->say_ack(Type::kPubrel, 1);
  wait([this] { return source_->saved_position(end_).value == "2"; });
  settle();
  EXPECT_EQ(broker_->acks(), "PUBREC 1");
  deliver();
  wait_acks("PUBREC 1, PUBREC 2, PUBCOMP 1");
  EXPECT_TRUE(saves_.empty());
}

TEST_F(MqttOnceTest, a_save_that_fails_is_tried_again) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  deliver();
  broker_->say_ack(Type::kPubrel, 1);
  wait([this] { return saves_.size() == 1; });
  saves_[0].second(fail(ErrorKind::kUnavailable, "disk full"));
  wait([this] { return saves_.size() == 2; });
  EXPECT_EQ(broker_->acks(), "PUBREC 1");
  saves_[1].second({});
  wait_acks("PUBREC 1, PUBCOMP 1");
}

TEST_F(MqttOnceTest, identifiers_of_a_lost_session_are_forgotten_before_anything_is_subscribed) {
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  deliver();
  kill();
  broker_->connack = "\x20\x02\x00\x00"s;
  start();
  wait([this] { return saves_.size() == 1; });
  settle();
  EXPECT_EQ(broker_->count(Type::kSubscribe), 1U) << "of the first run";
  EXPECT_EQ(saves_[0].first.value, "");
  saves_[0].second({});
  wait([this] { return broker_->count(Type::kSubscribe) == 2; });
  broker_->publish(1, "new", 2, true);
  wait_messages(2);
}

TEST_F(MqttOnceTest, without_exactly_once_nothing_is_saved) {
  exactly_once_ = false;
  start_and_subscribe();
  broker_->publish(1, "one", 2);
  wait_messages(1);
  EXPECT_EQ(source_->saved_position(end_).partition, "");
  ack_all();
  wait_acks("PUBREC 1");
  broker_->say_ack(Type::kPubrel, 1);
  wait_acks("PUBREC 1, PUBCOMP 1");
  EXPECT_TRUE(saves_.empty());
}

}  // namespace
}  // namespace leat::testing
