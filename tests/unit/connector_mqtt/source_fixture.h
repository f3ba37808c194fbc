// The mqtt source against a broker that does as scripted.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scripted_broker.h"
#include "support/source_harness.h"

namespace leat {
extern const SourceType kMqttSource;
}

namespace leat::testing {

using namespace std::string_literals;
using Type = mqtt::PacketType;

// CONNACK of 3.1.1: accepted, the session is kept.
inline const std::string kResumed = "\x20\x02\x01\x00"s;

class MqttSourceTest : public SourceHarness {
 protected:
  MqttSourceTest() : SourceHarness(kMqttSource) {
    std::signal(SIGPIPE, SIG_IGN);
    broker_ = std::make_unique<ScriptedBroker>(loop_);
    options_.set("url", broker_->url());
    options_.set("topics", std::vector<std::string>{"t/#"});
    options_.set("version", "3.1.1"s);
  }

  void given(BatchRef batch) override {
    EXPECT_TRUE(batches_ > 1 || batch->begin.offset == 0);
    for (const Slice& slice : batch->slices) messages_.emplace_back(slice.view());
    for (const Rejected& piece : batch->rejected) {
      rejected_ += std::string(piece.bytes) + ": " + std::string(piece.why) + "\n";
      const Position at{.offset = batch->begin.offset + piece.end_offset, .line = piece.end_line};
      rejected_at_.push_back(source_->describe(at) + " " + source_->metadata_of(at));
    }
    held_.push_back(std::move(batch));
  }
  void save(SavedPosition what, std::function<void(Status)> done) override {
    if (what.partition.starts_with("topics")) remembered_ = what;
    if (what.partition.starts_with("qos2")) saves_.emplace_back(what, std::move(done));
  }

  void start_and_subscribe() {
    start();
    wait([this] { return broker_->count(Type::kSubscribe) > 0; });
  }
  void ack_all() { source_->acked(end_); }
  // While time goes on, so that what is tried again after a while is.
  bool wait(const std::function<bool()>& condition) {
    bool met = SourceHarness::wait(condition);
    EXPECT_TRUE(met);
    return met;
  }
  bool wait_messages(size_t count) {
    return wait([this, count] { return messages_.size() >= count; });
  }
  bool wait_acks(const std::string& acks) {
    bool met = run_until(loop_, [&] { return broker_->acks() == acks; });
    EXPECT_EQ(broker_->acks(), acks);
    return met;
  }
  void reconnect() {
    size_t before = broker_->connections();
    broker_->peer().reset();
    wait([this, before] { return broker_->connections() > before; });
    settle();
  }

  std::unique_ptr<ScriptedBroker> broker_;
  std::vector<BatchRef> held_;
  std::vector<std::string> messages_;
  std::string rejected_;
  std::vector<std::string> rejected_at_;  // where, and what it brought
  SavedPosition remembered_;
  std::vector<std::pair<SavedPosition, std::function<void(Status)>>> saves_;
};

// With exactlyOnce.
class MqttOnceTest : public MqttSourceTest {
 protected:
  MqttOnceTest() {
    exactly_once_ = true;
    options_.set("qos", int64_t{2});
    broker_->subacks = "\x02"s;
    broker_->connack = kResumed;
  }
};

}  // namespace leat::testing
