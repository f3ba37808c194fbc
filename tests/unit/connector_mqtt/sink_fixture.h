// The mqtt sink on a real loop, against a broker that does as scripted.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "connectors/mqtt/options.h"
#include "scripted_broker.h"
#include "stage/sink.h"
#include "support/sink_harness.h"

namespace leat {
extern const SinkType kMqttSink;
}

namespace leat::testing {

using namespace std::string_literals;
using Type = mqtt::PacketType;

class MqttSinkTest : public ::testing::Test {
 protected:
  MqttSinkTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options_.set("url", broker_.url());
    options_.set("version", "3.1.1"s);
    options_.set("topic", "plant/{site}"s);
    acknowledge();
  }
  void acknowledge() {
    broker_.on_packet = [this](Peer&, const ScriptedBroker::Packet& packet) {
      if (packet.type == Type::kPubrel) broker_.say_ack(Type::kPubcomp, id(packet));
      if (packet.type != Type::kPublish) return;
      if (qos_ == 1) broker_.say_ack(Type::kPuback, id(packet));
      if (qos_ == 2) broker_.say_ack(Type::kPubrec, id(packet));
    };
  }
  static uint16_t id(const ScriptedBroker::Packet& packet) {
    size_t at = packet.type == Type::kPublish
                    ? 2 + static_cast<size_t>(ScriptedBroker::id_of(packet.body))
                    : 0;
    return static_cast<uint16_t>(ScriptedBroker::id_of(packet.body.substr(at)));
  }
  void start(int qos = 1) {
    qos_ = qos;
    options_.set("qos", int64_t{qos});
    Status status = harness_.start(kMqttSink, options_);
    ASSERT_TRUE(status) << status.error().message();
  }
  Delivery three() {
    return harness_.records({{{"site", text("a")}, {"n", Value::of_integer(1)}},
                             {{"site", text("b")}, {"n", Value::of_integer(2)}},
                             {{"site", text("c")}, {"n", Value::of_integer(3)}}});
  }
  // The sink has read all that the broker has said so far.
  void settle() {
    for (int i = 0; i < 50; ++i) uv_run(harness_.loop().uv(), UV_RUN_NOWAIT);
  }
  // The engine delivers what was not rejected again: `count` records from `first`.
  static Delivery rest(const Delivery& delivery, uint32_t first, uint32_t count) {
    Delivery out = delivery;
    out.parts = {{delivery.parts[0].batch, first, count}};
    out.records = count;
    return out;
  }
  // "topic payload" of all that was published.
  std::vector<std::string> published() const {
    std::vector<std::string> out;
    for (const ScriptedBroker::Packet& packet : broker_.packets) {
      if (packet.type != Type::kPublish) continue;
      auto size = static_cast<size_t>(ScriptedBroker::id_of(packet.body));
      out.push_back(packet.body.substr(2, size) + " " +
                    packet.body.substr(2 + size + (qos_ > 0 ? 2 : 0)));
    }
    return out;
  }

  SinkHarness harness_;
  ScriptedBroker broker_{harness_.loop()};
  Options options_{mqtt::kSinkOptions, "sink"};
  int qos_ = 1;
};

}  // namespace leat::testing
