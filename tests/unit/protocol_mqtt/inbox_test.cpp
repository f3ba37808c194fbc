#include "protocols/mqtt/inbox.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::mqtt {
namespace {

using namespace std::string_literals;

Publish message(uint16_t id, uint8_t qos = 1, bool redelivered = false,
                std::string_view payload = "x") {
  Publish out;
  out.topic = "t";
  out.payload = payload;
  out.id = id;
  out.qos = qos;
  out.redelivered = redelivered;
  out.size = 10;
  return out;
}

class InboxTest : public ::testing::Test {
 protected:
  // True when it is new.
  bool arrives(const Publish& publish) {
    Result<bool> seen = inbox_.seen(publish);
    EXPECT_TRUE(seen);
    if (!*seen) inbox_.add(publish);
    return !*seen;
  }
  std::string acks() {
    std::string out;
    inbox_.append_acks(out, Version::k311);
    return out;
  }
  Inbox inbox_;
};

const std::string kPuback1 = "\x40\x02\x00\x01"s;
const std::string kPuback2 = "\x40\x02\x00\x02"s;
const std::string kPubrec1 = "\x50\x02\x00\x01"s;

TEST_F(InboxTest, nothing_is_acknowledged_before_it_is_safe) {
  arrives(message(1));
  arrives(message(2));
  EXPECT_EQ(acks(), "");
  inbox_.acked(10);
  EXPECT_EQ(acks(), kPuback1);
  inbox_.acked(20);
  EXPECT_EQ(acks(), kPuback2);
  EXPECT_TRUE(inbox_.empty());
}

TEST_F(InboxTest, acknowledgements_of_a_lost_connection_are_void) {
  arrives(message(1));
  inbox_.connection_lost();
  inbox_.acked(10);
  EXPECT_EQ(acks(), "");
}

TEST_F(InboxTest, what_is_sent_again_is_emitted_once_and_acknowledged_when_it_is_safe) {
  arrives(message(1));
  inbox_.connection_lost();
  EXPECT_FALSE(arrives(message(1, 1, true)));
  EXPECT_EQ(acks(), "");
  inbox_.acked(10);
  EXPECT_EQ(acks(), kPuback1);
}

TEST_F(InboxTest, of_many_that_are_sent_again_each_is_known_in_whatever_order) {
  constexpr uint16_t kMany = 30'000;
  for (uint16_t id = 1; id <= kMany; ++id) arrives(message(id));
  inbox_.connection_lost();
  inbox_.acked(uint64_t{10} * kMany / 2);
  for (uint16_t id = kMany; id > 0; --id) EXPECT_FALSE(arrives(message(id, 1, true))) << id;
  EXPECT_TRUE(arrives(message(7, 1, true, "another")));
  EXPECT_FALSE(arrives(message(7, 1, true, "another")));
  inbox_.acked(inbox_.offset());
  EXPECT_TRUE(inbox_.empty());
  EXPECT_EQ(acks().size(), 4U * (kMany + 2));
}

TEST_F(InboxTest, what_became_safe_while_the_connection_was_away_is_acknowledged_at_once) {
  arrives(message(1));
  inbox_.connection_lost();
  inbox_.acked(10);
  EXPECT_FALSE(arrives(message(1, 1, true)));
  EXPECT_EQ(acks(), kPuback1);
  EXPECT_TRUE(arrives(message(1))) << "the identifier is free again";
}

TEST_F(InboxTest, another_message_under_an_old_identifier_is_new) {
  arrives(message(1));
  inbox_.connection_lost();
  EXPECT_TRUE(arrives(message(1, 1, true, "another")));
}

TEST_F(InboxTest, acknowledgements_keep_the_order_in_which_messages_came) {
  arrives(message(1));
  arrives(message(2));
  inbox_.acked(10);
  inbox_.connection_lost();
  arrives(message(2, 1, true));
  arrives(message(1, 1, true));
  EXPECT_EQ(acks(), "") << "message 2 came first and is not safe";
  inbox_.acked(20);
  EXPECT_EQ(acks(), kPuback2 + kPuback1);
}

TEST_F(InboxTest, a_new_session_knows_nothing_of_the_old_one) {
  arrives(message(1));
  arrives(message(2, 2));
  inbox_.acked(20);
  inbox_.session_lost();
  EXPECT_FALSE(inbox_.any_accepted());
  EXPECT_TRUE(arrives(message(1, 1, true)));
  EXPECT_TRUE(arrives(message(2, 2, true)));
}

TEST_F(InboxTest, qos_2_is_recognised_until_the_broker_lets_go_of_it) {
  arrives(message(1, 2));
  inbox_.acked(10);
  EXPECT_EQ(acks(), kPubrec1);
  inbox_.connection_lost();
  EXPECT_FALSE(arrives(message(1, 2, true, "whatever it says")));
  EXPECT_EQ(acks(), kPubrec1);
  EXPECT_TRUE(inbox_.released(1));
  EXPECT_FALSE(inbox_.released(1));
  EXPECT_TRUE(arrives(message(1, 2, true)));
}

TEST_F(InboxTest, qos_2_that_is_not_safe_yet_is_recognised_too) {
  arrives(message(1, 2));
  inbox_.connection_lost();
  EXPECT_FALSE(arrives(message(1, 2, true)));
  EXPECT_EQ(acks(), "");
  inbox_.acked(10);
  EXPECT_EQ(acks(), kPubrec1);
}

TEST_F(InboxTest, an_identifier_that_is_used_anew_without_pubrel_is_rather_twice_than_lost) {
  arrives(message(1, 2));
  inbox_.acked(10);
  acks();
  EXPECT_TRUE(arrives(message(1, 2, false)));
}

TEST_F(InboxTest, identifiers_survive_as_text) {
  for (uint16_t id : {3, 7, 8, 9, 12}) arrives(message(id, 2));
  arrives(message(20, 1));
  inbox_.acked(30);
  EXPECT_EQ(inbox_.accepted_ids(30), "3,7-8");
  EXPECT_EQ(inbox_.accepted_ids(40), "3,7-9");
  EXPECT_EQ(inbox_.accepted_ids(60), "3,7-9,12");
  inbox_.released(3);
  EXPECT_EQ(inbox_.accepted_ids(60), "7-9,12");
  Inbox other;
  other.restore("7-9,12,nonsense,65535,99999,0,5");
  EXPECT_EQ(other.accepted_ids(0), "5,7-9,12,65535");
}

TEST_F(InboxTest, a_broker_that_sends_more_than_there_are_identifiers_is_refused) {
  arrives(message(1));
  inbox_.connection_lost();
  bool refused = false;
  for (int i = 0; i < 70'000 && !refused; ++i) refused = !inbox_.seen(message(1, 1, true));
  EXPECT_TRUE(refused);
}

TEST_F(InboxTest, a_message_is_known_by_its_topic_until_it_is_safe) {
  arrives(message(1));
  arrives(message(2));
  ASSERT_TRUE(inbox_.brought_at(20));
  EXPECT_EQ(inbox_.brought_at(20)->topic, "t");
  EXPECT_EQ(inbox_.brought_at(20)->qos, 1);
  inbox_.acked(20);
  EXPECT_FALSE(inbox_.brought_at(20));
}

}  // namespace
}  // namespace leat::mqtt
