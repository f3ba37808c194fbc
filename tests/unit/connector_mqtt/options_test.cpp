#include "connectors/mqtt/options.h"

#include <gtest/gtest.h>

#include "options/option_errors.h"
#include "stage/sink.h"
#include "stage/source.h"

namespace leat {
extern const SourceType kMqttSource;
extern const SinkType kMqttSink;
}  // namespace leat

namespace leat::mqtt {
namespace {

using namespace std::string_literals;
using Strings = std::vector<std::string>;

class MqttOptionsTest : public ::testing::Test {
 protected:
  MqttOptionsTest() {
    source_.set("url", "mqtt://broker"s);
    source_.set("topics", Strings{"a/#"});
    sink_.set("url", "mqtt://broker"s);
    sink_.set("topic", "a"s);
  }
  std::string source_error() {
    auto made = kMqttSource.make(source_);
    return made ? "" : made.error().message();
  }
  std::string sink_error() {
    auto made = kMqttSink.make(sink_);
    return made ? "" : made.error().message();
  }
  Options source_{kSourceOptions, "source"};
  Options sink_{kSinkOptions, "sink"};
};

TEST_F(MqttOptionsTest, the_usual_ones_are_enough) {
  EXPECT_EQ(source_error(), "");
  EXPECT_EQ(sink_error(), "");
}

TEST_F(MqttOptionsTest, a_bad_filter_is_named) {
  source_.set("topics", Strings{"a/#", "b/#/c"});
  EXPECT_EQ(source_error(), "source.topics[1]: \"b/#/c\": \"#\" must be the last level");
  source_.set("topics", Strings{"a", "a"});
  EXPECT_EQ(source_error(), "source.topics[1]: \"a\" stands twice");
  source_.set("topics", Strings{});
  EXPECT_EQ(source_error(), "source.topics: name at least one topic");
}

TEST_F(MqttOptionsTest, topics_that_overlap_are_told) {
  source_.set("topics", Strings{"a/b", "c/+", "c/d"});
  EXPECT_EQ(source_error(), "");
  OptionErrors warnings;
  kMqttSource.warn(source_, warnings);
  ASSERT_EQ(warnings.problems().size(), 1U);
  EXPECT_EQ(warnings.problems().all()[0].path, "source.topics[2]");
  EXPECT_TRUE(warnings.problems().all()[0].text.starts_with("\"c/+\" and \"c/d\" overlap"));
  source_.set("fields", Strings{"subscriptions"});
  OptionErrors none;
  kMqttSource.warn(source_, none);
  EXPECT_TRUE(none.empty()) << "the copies are told apart";
}

TEST_F(MqttOptionsTest, fields_that_cannot_be_are_named) {
  source_.set("fields", Strings{"retained", "retain"});
  EXPECT_NE(source_error().find("a broker tells only one"), std::string::npos);
  source_.set("fields", Strings{"topic", "topic"});
  EXPECT_EQ(source_error(), "source.fields[1]: \"topic\" stands twice");
  source_.set("fields", Strings{"topic"});
  source_.set("topicFields", Strings{"a/{topic}"});
  EXPECT_EQ(source_error(), "source.topicFields[0]: \"topic\" is also one of \"fields\"");
}

TEST_F(MqttOptionsTest, combinations_that_do_nothing_are_refused) {
  source_.set("tls.ca", "/x.pem"s);
  EXPECT_EQ(source_error(), "source.tls: does nothing without mqtts:// in \"url\"");
  sink_.set("version", "3.1.1"s);
  sink_.set("contentType", "application/json"s);
  EXPECT_EQ(sink_error(), "sink.contentType: needs MQTT 5");
}

TEST_F(MqttOptionsTest, a_password_needs_a_user_with_3_1_1) {
  source_.set("version", "3.1.1"s);
  source_.set("password", "secret"s);
  EXPECT_EQ(source_error(), "source.password: needs \"user\" with version 3.1.1");
}

TEST_F(MqttOptionsTest, keep_alive_is_whole_seconds) {
  source_.set("keepAlive", int64_t{1500});
  EXPECT_EQ(source_error(), "source.keepAlive: must be whole seconds, such as \"60s\"");
}

TEST_F(MqttOptionsTest, templates_and_wills_are_checked) {
  sink_.set("topic", "a/{b"s);
  EXPECT_EQ(sink_error(), "sink.topic: a \"{\" is not closed");
  sink_.set("topic", "a/+"s);
  EXPECT_NE(sink_error().find("sink.topic: it has a \"+\""), std::string::npos);
  sink_.set("topic", "{a}"s);
  EXPECT_EQ(sink_error(), "");
  sink_.set("will.topic", "a/#"s);
  EXPECT_NE(sink_error().find("sink.will.topic: "), std::string::npos) << sink_error();
}

TEST_F(MqttOptionsTest, what_can_be_sent_again_depends_on_qos_and_session) {
  auto replay = [this](int64_t qos, bool clean) {
    source_.set("qos", qos);
    source_.set("cleanSession", clean);
    return kMqttSource.replay(source_);
  };
  EXPECT_EQ(replay(0, false), Replay::kNone);
  EXPECT_EQ(replay(1, false), Replay::kHoldsAck);
  EXPECT_EQ(replay(2, false), Replay::kHoldsAckOnce);
  EXPECT_EQ(replay(2, true), Replay::kNone);
}

}  // namespace
}  // namespace leat::mqtt
