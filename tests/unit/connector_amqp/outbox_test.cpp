#include "connectors/amqp/outbox.h"

#include <gtest/gtest.h>

#include <vector>

#include "connectors/amqp/options.h"
#include "support/sink_harness.h"

namespace leat::amqp {
namespace {

using namespace std::string_literals;
using leat::testing::SinkHarness;
using leat::testing::text;

class AmqpOutboxTest : public ::testing::Test {
 protected:
  AmqpOutboxTest() { outbox_.connected(4096); }

  static OutboxConfig config() {
    Options options(kSinkOptions);
    OutboxConfig out;
    out.exchange = "plant";
    out.routing_key = std::move(*Template::parse("to.{site}"));
    out.properties = std::move(*PropertyMaker::from(options));
    return out;
  }

  // Publishes them as one delivery.
  void publish(std::vector<const char*> sites, size_t window = 100) {
    std::vector<leat::testing::Row> rows;
    for (const char* site : sites) rows.push_back({{"site", text(site)}});
    deliveries_.push_back(harness_.records(rows));
    outbox_.add(deliveries_.back(), [](Answer) {});
    out_.clear();
    outbox_.append(out_, window);
  }
  Answer answered() {
    std::optional<Outbox::Answered> done = outbox_.finished();
    EXPECT_TRUE(done);
    return done ? done->second : Answer::failed("nothing was finished");
  }
  bool bring_back(const std::string& key, const std::string& body) {
    Message message;
    message.returned = true;
    message.reply_code = 312;
    message.reply_text = "NO_ROUTE";
    message.exchange = "plant";
    message.routing_key = key;
    message.body = body;
    message.size = body.size();
    return outbox_.returned(message);
  }

  SinkHarness harness_;
  std::deque<Delivery> deliveries_;
  std::string out_;
  Outbox outbox_{config()};
};

TEST_F(AmqpOutboxTest, a_delivery_is_done_when_all_of_it_is_confirmed) {
  publish({"a", "b", "c"});
  EXPECT_EQ(outbox_.in_flight(), 3u);
  EXPECT_TRUE(outbox_.confirm(2, false, true));
  EXPECT_FALSE(outbox_.finished());
  EXPECT_TRUE(outbox_.confirm(3, true, true));
  EXPECT_EQ(answered().outcome, Outcome::kDelivered);
  EXPECT_EQ(outbox_.in_flight(), 0u);
}

TEST_F(AmqpOutboxTest, a_confirmation_of_what_was_not_published_is_none) {
  publish({"a"});
  EXPECT_FALSE(outbox_.confirm(2, false, true));
  EXPECT_TRUE(outbox_.confirm(0, true, true));  // all
  EXPECT_EQ(answered().outcome, Outcome::kDelivered);
}

TEST_F(AmqpOutboxTest, the_window_bounds_what_is_under_way) {
  publish({"a", "b", "c"}, 2);
  EXPECT_EQ(outbox_.in_flight(), 2u);
  outbox_.confirm(1, false, true);
  out_.clear();
  outbox_.append(out_, 2);
  EXPECT_EQ(outbox_.in_flight(), 2u);
  outbox_.confirm(3, true, true);
  EXPECT_EQ(answered().outcome, Outcome::kDelivered);
}

TEST_F(AmqpOutboxTest, what_comes_back_is_rejected_though_it_is_confirmed) {
  publish({"a", "b", "a"});
  EXPECT_TRUE(bring_back("to.b", R"({"site":"b"})"));
  outbox_.confirm(3, true, true);
  const Answer answer = answered();
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
  EXPECT_FALSE(answer.in_doubt);
}

TEST_F(AmqpOutboxTest, where_all_comes_back_no_record_is_to_blame_yet) {
  publish({"a", "a"});
  EXPECT_TRUE(bring_back("to.a", R"({"site":"a"})"));
  EXPECT_TRUE(bring_back("to.a", R"({"site":"a"})"));
  EXPECT_FALSE(bring_back("to.a", R"({"site":"a"})"));  // there were two
  outbox_.confirm(2, true, true);
  EXPECT_TRUE(answered().in_doubt);
}

TEST_F(AmqpOutboxTest, what_the_broker_could_not_take_is_tried_again_and_the_rest_is_not) {
  publish({"a", "b"});
  outbox_.confirm(1, false, true);
  outbox_.confirm(2, false, false);
  EXPECT_EQ(answered().outcome, Outcome::kRetry);
  outbox_.add(deliveries_.back(), [](Answer) {});
  out_.clear();
  outbox_.append(out_, 100);
  EXPECT_EQ(outbox_.in_flight(), 1u);
  EXPECT_NE(out_.find("to.b"), std::string::npos);
  EXPECT_EQ(out_.find("to.a"), std::string::npos);
  outbox_.confirm(3, false, true);
  EXPECT_EQ(answered().outcome, Outcome::kDelivered);
}

TEST_F(AmqpOutboxTest,
       the_message_at_which_the_channel_was_closed_is_refused_and_the_rest_follows) {
  publish({"a", "b", "c"}, 1);
  outbox_.confirm(1, false, true);
  outbox_.append(out_, 1);
  EXPECT_TRUE(outbox_.refuse(406, "406 PRECONDITION_FAILED"));
  outbox_.connected(4096);
  out_.clear();
  outbox_.append(out_, 1);
  EXPECT_NE(out_.find("to.c"), std::string::npos);
  outbox_.confirm(1, false, true);
  const Answer answer = answered();
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
}

TEST_F(AmqpOutboxTest, after_a_lost_connection_only_what_was_not_confirmed_is_sent_again) {
  publish({"a", "b"});
  outbox_.confirm(1, false, true);
  std::vector<Outbox::Answered> all = outbox_.give_up("the line is cut");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].second.outcome, Outcome::kRetry);
  outbox_.connected(4096);
  outbox_.add(deliveries_.back(), [](Answer) {});
  out_.clear();
  outbox_.append(out_, 100);
  EXPECT_EQ(outbox_.in_flight(), 1u);
  outbox_.confirm(1, false, true);
  EXPECT_EQ(answered().outcome, Outcome::kDelivered);
}

TEST_F(AmqpOutboxTest, a_routing_key_that_is_too_long_is_rejected) {
  const std::string long_one(300, 'x');
  publish({long_one.c_str(), "a"});
  outbox_.confirm(1, false, true);
  const Answer answer = answered();
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{0});
  EXPECT_NE(answer.why(0).reason.find("more than 255"), std::string::npos);
}

}  // namespace
}  // namespace leat::amqp
