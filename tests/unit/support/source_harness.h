// Runs one source on a loop whose time the test moves, as the engine would, with as much credit as
// the test gives: a fixture that connectors' tests build on. What holds for every source is checked
// here: its batches are those it was given credit for, follow one another and are whole, nothing
// comes after its end, only a bounded one has an end, and the loop closes, so no handle is left
// over.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "memory/budget.h"
#include "options/options.h"
#include "record/batch.h"
#include "stage/source.h"
#include "support/hand_loop.h"

namespace leat::testing {

class SourceHarness : public ::testing::Test, public SourceContext {
 protected:
  explicit SourceHarness(const SourceType& type) : type_(type), options_(type.options, "source") {}
  ~SourceHarness() override { EXPECT_TRUE(loop_.close()) << "a handle was left open"; }
  void TearDown() override { stop(); }

  // What a test wants of a batch that the source has given.
  virtual void given(BatchRef batch) = 0;
  // For a source that is made of more than its options.
  virtual Result<std::unique_ptr<Source>> make() { return type_.make(options_); }
  virtual bool bounded() { return type_.bounded != nullptr && type_.bounded(options_); }

  // --- the script ---

  // Makes and opens, also after stop() or kill(): as after a restart of the agent.
  void start() {
    Result<std::unique_ptr<Source>> made = make();
    ASSERT_TRUE(made) << made.error().message();
    adopt(std::move(*made));
    Status opened = source_->open(*this);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  // From now on what is given is this one's.
  void adopt(std::unique_ptr<Source> source) {
    source_ = std::move(source);
    ends_.clear();
    owed_.clear();
    end_ = {};
    batches_ = 0;
    finished_.reset();
  }
  void stop() {
    if (!source_) return;
    bool closed = false;
    source_->stop([&closed] { closed = true; });
    EXPECT_TRUE(wait([&closed] { return closed; })) << "never closed";
    source_.reset();
  }
  // What a kill -9 leaves behind: nothing is finished or said.
  void kill() { source_.reset(); }
  void give_credit(size_t batches = SIZE_MAX) {
    credit_ = batches;
    source_->resume();
  }
  // All that was given is delivered: its positions are saved, and acknowledged.
  void deliver() {
    for (const Position& end : std::exchange(owed_, {})) {
      SavedPosition saved = source_->saved_position(end);
      if (!saved.partition.empty()) journal_[saved.partition] = saved.value;
      source_->acked(end);
    }
  }
  // While time goes on, by at most `most_`.
  bool wait(const std::function<bool()>& condition) {
    return most_.count() > 0 ? run_until(loop_, condition, most_) : run_until(loop_, condition);
  }
  // True when it has given all that there is.
  bool wait_end() {
    return wait([this] { return finished_.has_value(); }) && *finished_;
  }
  // All that is ready has its turn; no time passes.
  void settle() {
    for (int i = 0; i < 50; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }

  // --- SourceContext ---

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return pipeline_; }
  const std::string& agent() override { return agent_; }
  bool exactly_once() override { return exactly_once_; }
  size_t batch_bytes() const override { return batch_bytes_; }
  Budget& budget() override { return budget_; }
  const Framing* framing() override { return framing_; }
  bool takes_empty() override { return takes_empty_; }
  bool needs_preamble() override { return false; }
  const std::vector<SavedPosition>& saved() override {
    saved_.clear();
    for (const auto& [partition, value] : journal_) saved_.push_back({partition, value});
    return saved_;
  }
  const std::vector<SavedPosition>& noted() override { return noted_; }
  BatchRef new_batch_for(size_t reader, Content content) override {
    EXPECT_EQ(content, type_.produces == Produces::kBytes    ? Content::kBytes
                       : type_.produces == Produces::kSlices ? Content::kSlices
                                                             : Content::kRecords);
    if (credit_ == 0) return {};
    --credit_;
    BatchRef batch = BatchRef::make(pool_, content);
    // Where one was that was thrown away another may be now.
    std::erase_if(granted_, [&batch](const auto& one) { return one.second == &*batch; });
    granted_[reader] = &*batch;
    return batch;
  }
  void emit(BatchRef batch) override {
    EXPECT_FALSE(finished_) << "a batch after its end";
    EXPECT_EQ(std::erase_if(granted_, [&](const auto& one) { return one.second == &*batch; }), 1U)
        << "a batch without credit";
    EXPECT_NE(batch->arrival_us, 0);
    const Position& before = ends_.try_emplace(batch->begin.partition, batch->begin).first->second;
    EXPECT_EQ(batch->begin.offset, before.offset) << "batches must follow one another";
    EXPECT_EQ(batch->begin.line, before.line);
    for (size_t i = 0; i < batch->count(); ++i)
      EXPECT_LE(batch->position_after(i).offset, batch->end.offset);
    end_ = ends_[batch->begin.partition] = batch->end;
    owed_.push_back(end_);
    ++batches_;
    given(std::move(batch));
  }
  void finished(Status status) override {
    EXPECT_TRUE(bounded()) << "it has no end";
    EXPECT_FALSE(finished_) << "finished twice";
    finished_ = std::move(status);
  }
  void in_flight_full(bool full, Milliseconds patience) override {
    in_flight_full_ = full;
    patience_ = patience;
  }
  void save(SavedPosition /*what*/, std::function<void(Status)> /*done*/) override {}
  void note(std::vector<SavedPosition> what, Survives survives,
            std::function<void(Status)> done) override {
    on_the_disk_ = survives == Survives::kPowerCut;
    for (SavedPosition& one : what) {
      if (one.value.empty()) {
        journal_.erase(one.partition);
      } else {
        journal_[one.partition] = one.value;
      }
    }
    done({});
  }
  void progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) override {
    bytes_read_ = bytes_done;
    bytes_total_ = bytes_total;
  }

  const SourceType& type_;
  HandLoop loop_;
  std::string pipeline_ = "line-1";
  std::string agent_ = "gw-1";
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  Options options_;
  std::unique_ptr<Source> source_;

  // What the engine says; where the source asks but once, as of the next start().
  Milliseconds most_{10'000};  // that time goes on while something is waited for; 0: it stands
  size_t credit_ = SIZE_MAX;
  std::map<size_t, const Batch*> granted_;  // by readers: given last, and not come back
  bool exactly_once_ = false;
  bool takes_empty_ = false;
  size_t batch_bytes_ = 64 * 1024;
  const Framing* framing_ = nullptr;
  std::map<std::string, std::string> journal_;  // what is saved: by partition

  // What the source says. Since it was started:
  size_t batches_ = 0;
  Position end_;                // of the batch given last
  std::vector<Position> owed_;  // the ends of those that deliver() is to acknowledge
  std::optional<Status> finished_;
  // And in all:
  bool in_flight_full_ = false;
  Milliseconds patience_{0};
  bool on_the_disk_ = false;  // what was noted last
  uint64_t bytes_read_ = 0;
  std::optional<uint64_t> bytes_total_;
  std::vector<SavedPosition> noted_;  // as SourceContext::noted()

 private:
  std::map<uint32_t, Position> ends_;  // of the last batch of each partition
  std::vector<SavedPosition> saved_;
};

}  // namespace leat::testing
