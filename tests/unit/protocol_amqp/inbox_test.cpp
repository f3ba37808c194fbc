#include "protocols/amqp/inbox.h"

#include <gtest/gtest.h>

namespace leat::amqp {
namespace {

Message message(uint64_t tag, std::string_view body, bool redelivered = false) {
  Message out;
  out.delivery_tag = tag;
  out.redelivered = redelivered;
  out.exchange = "exchange";
  out.routing_key = "key";
  out.body = body;
  out.size = body.size();
  return out;
}

TEST(AmqpInbox, one_tag_speaks_for_all_that_were_acknowledged) {
  Inbox inbox;
  inbox.add(message(1, "a"), "");
  const uint64_t second = inbox.add(message(2, "b"), "");
  const uint64_t third = inbox.add(message(3, "c"), "");
  EXPECT_EQ(inbox.take_tag(), std::nullopt);
  inbox.acked(second);
  EXPECT_EQ(inbox.take_tag(), 2u);
  EXPECT_EQ(inbox.take_tag(), std::nullopt);
  EXPECT_EQ(inbox.unacknowledged(), 1u);
  inbox.acked(third);
  EXPECT_EQ(inbox.take_tag(), 3u);
}

TEST(AmqpInbox, what_comes_again_is_known_and_acknowledged_when_the_first_is) {
  Inbox inbox;
  const uint64_t first = inbox.add(message(1, "a"), "m-1");
  const uint64_t second = inbox.add(message(2, "b"), "m-2");
  inbox.connection_lost(true);
  inbox.acked(first);
  EXPECT_TRUE(inbox.seen(message(1, "a", true), "m-1"));
  EXPECT_TRUE(inbox.seen(message(2, "b", true), "m-2"));
  EXPECT_EQ(inbox.take_tag(), 1u);
  inbox.acked(second);
  EXPECT_EQ(inbox.take_tag(), 2u);
}

TEST(AmqpInbox, each_is_known_once) {
  Inbox inbox;
  inbox.add(message(1, "same"), "");
  inbox.add(message(2, "same"), "");
  inbox.connection_lost(true);
  EXPECT_TRUE(inbox.seen(message(1, "same", true), ""));
  EXPECT_TRUE(inbox.seen(message(2, "same", true), ""));
  EXPECT_FALSE(inbox.seen(message(3, "same", true), ""));
}

TEST(AmqpInbox, only_what_is_marked_as_redelivered_and_is_alike_is_known) {
  Inbox inbox;
  inbox.add(message(1, "a"), "m-1");
  inbox.connection_lost(true);
  EXPECT_FALSE(inbox.seen(message(1, "a"), "m-1"));
  EXPECT_FALSE(inbox.seen(message(1, "a", true), "m-2"));
  EXPECT_FALSE(inbox.seen(message(1, "b", true), "m-1"));
  EXPECT_TRUE(inbox.seen(message(1, "a", true), "m-1"));
}

TEST(AmqpInbox, what_was_acknowledged_to_the_broker_is_not_waited_for) {
  Inbox inbox;
  inbox.acked(inbox.add(message(1, "a"), "m-1"));
  EXPECT_EQ(inbox.take_tag(), 1u);
  inbox.connection_lost(true);
  EXPECT_FALSE(inbox.seen(message(1, "a", true), "m-1"));
}

TEST(AmqpInbox, an_acknowledgement_that_may_be_lost_is_given_again) {
  Inbox inbox;
  inbox.set_window(2);
  for (uint64_t tag : {1, 2, 3}) {
    inbox.acked(inbox.add(message(tag, std::string(tag, 'x')), ""));
    EXPECT_EQ(inbox.take_tag(), tag);
  }
  inbox.connection_lost(true);
  // The third was sent only when the first was acknowledged: one that is alike is another one.
  EXPECT_FALSE(inbox.seen(message(1, "x", true), ""));
  EXPECT_TRUE(inbox.seen(message(2, "xx", true), ""));
  EXPECT_EQ(inbox.take_tag(), 2u);
  inbox.connection_lost(true);
  EXPECT_TRUE(inbox.seen(message(1, "xx", true), ""));
  EXPECT_TRUE(inbox.seen(message(2, "xxx", true), ""));
  EXPECT_EQ(inbox.take_tag(), 2u);
}

TEST(AmqpInbox, behind_a_new_message_nothing_that_was_acknowledged_comes_again) {
  Inbox inbox;
  inbox.set_window(10);
  inbox.acked(inbox.add(message(1, "a"), ""));
  EXPECT_EQ(inbox.take_tag(), 1u);
  inbox.add(message(2, "b"), "");
  inbox.connection_lost(true);
  EXPECT_FALSE(inbox.seen(message(1, "c"), ""));
  EXPECT_FALSE(inbox.seen(message(2, "a", true), ""));
  EXPECT_TRUE(inbox.seen(message(3, "b", true), ""));
}

TEST(AmqpInbox, of_two_that_are_alike_none_is_acknowledged_before_both_are_done) {
  Inbox inbox;
  inbox.set_window(10);
  inbox.acked(inbox.add(message(1, "a"), ""));
  EXPECT_EQ(inbox.take_tag(), 1u);
  const uint64_t second = inbox.add(message(2, "a"), "");
  inbox.connection_lost(true);
  EXPECT_TRUE(inbox.seen(message(1, "a", true), ""));
  EXPECT_EQ(inbox.take_tag(), std::nullopt);
  inbox.acked(second);
  EXPECT_EQ(inbox.take_tag(), 1u);
}

TEST(AmqpInbox, where_a_message_came_from_is_known_until_it_is_done_with) {
  Inbox inbox;
  const uint64_t end = inbox.add(message(1, "a"), "");
  ASSERT_TRUE(inbox.brought_at(end));
  EXPECT_EQ(inbox.brought_at(end)->routing_key, "key");
  EXPECT_FALSE(inbox.brought_at(end + 1));
  const size_t before = inbox.footprint();
  inbox.acked(end);
  EXPECT_FALSE(inbox.brought_at(end));
  EXPECT_LT(inbox.footprint(), before);
}

TEST(AmqpInbox, of_a_stream_offsets_are_its_own) {
  Inbox inbox;
  inbox.begin_at(1000);
  EXPECT_EQ(inbox.add(message(1, "a"), "", 1001), 1001u);
  EXPECT_EQ(inbox.add(message(2, "b"), "", 1005), 1005u);
  inbox.acked(1001);
  EXPECT_EQ(inbox.take_tag(), 1u);
  inbox.connection_lost(false);
  EXPECT_FALSE(inbox.seen(message(1, "b", true), ""));
  EXPECT_EQ(inbox.offset(), 1005u);
}

}  // namespace
}  // namespace leat::amqp
