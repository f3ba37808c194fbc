// The mqtt source on a real loop, against a broker that does as scripted.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/mqtt/options.h"
#include "scripted_broker.h"
#include "stage/source.h"
#include "support/hand_loop.h"

namespace leat {
extern const SourceType kMqttSource;
}

namespace leat::testing {

using namespace std::string_literals;
using Type = mqtt::PacketType;

// CONNACK of 3.1.1: accepted, the session is kept.
inline const std::string kResumed = "\x20\x02\x01\x00"s;

// Runs the source as the engine would, with as much credit as the test gives.
class MqttSourceTest : public ::testing::Test, public SourceContext {
 protected:
  MqttSourceTest() {
    std::signal(SIGPIPE, SIG_IGN);
    broker_ = std::make_unique<ScriptedBroker>(loop_);
    options_.set("url", broker_->url());
    options_.set("topics", std::vector<std::string>{"t/#"});
    options_.set("version", "3.1.1"s);
  }
  ~MqttSourceTest() override {
    if (source_) stop();
    broker_.reset();
    batches_.clear();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  const std::string& agent() override { return agent_; }
  bool exactly_once() override { return exactly_once_; }
  size_t batch_bytes() const override { return 64 * 1024; }
  Budget& budget() override { return budget_; }
  const Framing* framing() override { return nullptr; }
  bool needs_preamble() override { return false; }
  bool takes_empty() override { return takes_empty_; }
  const std::vector<SavedPosition>& saved() override { return saved_; }
  BatchRef new_batch(Content content) override {
    if (credit_ == 0) return {};
    --credit_;
    return BatchRef::make(pool_, content);
  }
  void emit(BatchRef batch) override {
    EXPECT_EQ(batch->begin.offset, end_.offset);
    end_ = batch->end;
    for (const Slice& slice : batch->slices) messages_.emplace_back(slice.view());
    for (const Rejected& piece : batch->rejected)
      rejected_ += std::string(piece.bytes) + ": " + std::string(piece.why) + "\n";
    batches_.push_back(std::move(batch));
  }
  void finished(Status) override { ADD_FAILURE() << "a subscription has no end"; }
  void window_full(bool full) override { window_full_ = full; }
  void save(SavedPosition what, std::function<void(Status)> done) override {
    if (what.partition.starts_with("topics")) remembered_ = what;
    if (what.partition.starts_with("qos2")) saves_.emplace_back(what, std::move(done));
  }
  void progress(uint64_t, std::optional<uint64_t>) override {}

  void start() {
    auto made = kMqttSource.make(options_);
    ASSERT_TRUE(made) << made.error().message();
    source_ = std::move(*made);
    Status opened = source_->open(*this);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  void start_and_subscribe() {
    start();
    wait([this] { return broker_->count(Type::kSubscribe) > 0; });
  }
  void stop() {
    bool closed = false;
    source_->stop([&closed] { closed = true; });
    EXPECT_TRUE(run_until(
        loop_, [&closed] { return closed; }, Milliseconds{10'000}))
        << "never closed";
    source_.reset();
  }
  void kill() { source_.reset(); }
  void ack_all() { source_->acked(end_); }
  // While time goes on, so that what is tried again after a while is.
  bool wait(const std::function<bool()>& condition) {
    bool met = run_until(loop_, condition, Milliseconds{10'000});
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
  // The broker has read all that the source has written so far.
  void settle() {
    for (int i = 0; i < 50; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }
  void reconnect() {
    size_t before = broker_->connections();
    broker_->peer().reset();
    wait([this, before] { return broker_->connections() > before; });
    settle();
  }

  HandLoop loop_;
  std::string name_ = "line-1";
  std::string agent_ = "gw-1";
  bool exactly_once_ = false;
  bool takes_empty_ = false;
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  size_t credit_ = SIZE_MAX;
  std::unique_ptr<ScriptedBroker> broker_;
  Options options_{mqtt::kSourceOptions, "source"};
  std::vector<SavedPosition> saved_;
  std::unique_ptr<Source> source_;
  std::vector<BatchRef> batches_;
  std::vector<std::string> messages_;
  std::string rejected_;
  Position end_;
  bool window_full_ = false;
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
  // The engine commits what was emitted so far: its position is durable, and acknowledged.
  void commit() {
    saved_ = {source_->saved_form(end_)};
    source_->acked(end_);
  }
};

}  // namespace leat::testing
