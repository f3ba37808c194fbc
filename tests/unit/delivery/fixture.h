// A deliverer between a source and a sink that the test scripts, with a real loop, journal and
// dead-letter file.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "delivery/deliverer.h"
#include "delivery/delivery_range.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat::testing {

// A batch of slices "r<n>\n"; record i of it ends at offset (first + i + 1) * 10 of partition 1.
inline BatchRef make_batch(BlockPool& pool, int first, int count, uint32_t partition = 1) {
  BatchRef batch = BatchRef::make(pool, Content::kSlices);
  batch->begin = {partition, static_cast<uint64_t>(first) * 10, static_cast<uint64_t>(first)};
  batch->end = {partition, static_cast<uint64_t>(first + count) * 10,
                static_cast<uint64_t>(first + count)};
  for (int i = 0; i < count; ++i) {
    std::string_view text = batch->arena.copy("r" + std::to_string(first + i) + "\n");
    batch->slices.push_back({text.data(), static_cast<uint32_t>(text.size()),
                             static_cast<uint32_t>((i + 1) * 10), static_cast<uint32_t>(i + 1)});
  }
  return batch;
}

inline std::string text_of(const Delivery& delivery) {
  std::string out;
  delivery.each_slice([&out](const Slice& slice) {
    out += out.empty() ? "" : " ";
    out += slice.view().substr(0, slice.size - 1);
  });
  return out;
}

class ScriptedSource final : public Source {
 public:
  Status open(SourceContext& /*context*/) override { return {}; }
  void resume() override {}
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& position) override { acks.push_back(position.offset); }
  SavedPosition saved_position(const Position& position) override {
    ++formed;
    if (!saves) return {};
    return {"file" + std::to_string(position.partition), std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override {
    return "file" + std::to_string(position.partition) + ":" + std::to_string(position.line);
  }
  bool offsets_last() const override { return lasting; }
  bool gives_dead_letters() const override { return dead_before; }
  std::vector<uint64_t> acks;
  bool lasting = true;
  bool saves = true;  // else the peer keeps the place
  bool dead_before = false;
  int formed = 0;  // times it was asked for the form in which a position is saved
};

// Keeps what it is given until the test answers.
class ScriptedSink final : public Sink {
 public:
  struct Attempt {
    std::string text;
    std::string key;
    std::vector<SavedPosition> positions;
    Done done;
  };
  Status open(SinkContext& /*context*/) override { return {}; }
  void deliver(const Delivery& delivery, Done done) override {
    open_attempts.push_back({text_of(delivery), delivery.key, delivery.positions, std::move(done)});
    history.push_back(open_attempts.back().text);
  }
  void close(std::function<void()> closed) override { closed(); }

  std::deque<Attempt> open_attempts;
  std::vector<std::string> history;
};

class DelivererTest : public ::testing::Test, protected DeliveryOwner {
 protected:
  static constexpr Milliseconds kMoment{10};

  DelivererTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    EXPECT_TRUE(journal);
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
    letters_ = std::make_unique<DeadLetterFile>(loop_, "test",
                                                DeadLetterConfig{folder_ / "dead.jsonl", 1 << 20});
    config_.retry_initial = Milliseconds{1};
    config_.retry_max = Milliseconds{2};
    config_.breaker_threshold = 1000;
    limits_ = {.records = 4, .bytes = 1 << 20, .linger = Milliseconds{1}};
  }

  ~DelivererTest() override {
    deliverer_.reset();
    acknowledgements_.reset();
    letters_.reset();
    client_.reset();
    journal_.reset();
    EXPECT_TRUE(loop_.close());
  }

  void make(int in_flight = 1) {
    forget();
    make_deliverer(in_flight);
  }
  // As after a crash: what was held, and owed, is gone.
  void forget() {
    deliverer_.reset();
    acknowledgements_ =
        std::make_unique<Acknowledgements>(loop_, "p", *client_, config_.exactly_once);
  }
  void make_deliverer(int in_flight = 1) {
    deliverer_ = std::make_unique<Deliverer>(DelivererSetup{.loop = loop_,
                                                            .agent = "gw-1",
                                                            .pipeline = "p",
                                                            .limits = limits_,
                                                            .in_flight = in_flight,
                                                            .config = config_,
                                                            .sink = sink_,
                                                            .acknowledgements = *acknowledgements_,
                                                            .dead_letters = *letters_,
                                                            .owner = *this,
                                                            .cuts = folder_ / "cuts/p"});
  }

  void delivery_changed() override { ++told_; }
  void delivery_failed(const Error& error) override { failure_ = error.message(); }
  bool was_dead(const Batch& batch, size_t /*index*/) const override {
    return batch.acknowledger->gives_dead_letters();
  }
  void reject_at_sink(const Batch& batch, size_t index, const Why& why) override {
    std::string text(batch.slices[index].view());
    text.pop_back();
    letters_->append(text + ": " + why.reason);
    rejected_.push_back(text);
  }
  bool more_waits() const override { return more_waits_; }

  // A batch as the source gives it.
  BatchRef given(int first, int count, uint32_t partition = 1) {
    return given_by(source_, first, count, partition);
  }
  BatchRef given_by(ScriptedSource& source, int first, int count, uint32_t partition = 1) {
    BatchRef batch = make_batch(pool_, first, count, partition);
    batch->acknowledger = &source;
    batch->owed = acknowledgements_->ledger().open(source, batch->begin, batch->end);
    return batch;
  }
  void add(int first, int count) { deliverer_->add(given(first, count)); }

  // Answers the oldest open attempt, which must hold exactly these records.
  void answer(const std::string& expected, Answer answer) {
    run_until([this] { return !sink_.open_attempts.empty(); });
    ASSERT_FALSE(sink_.open_attempts.empty()) << "no attempt; expected " << expected;
    ScriptedSink::Attempt attempt = std::move(sink_.open_attempts.front());
    sink_.open_attempts.pop_front();
    EXPECT_EQ(attempt.text, expected);
    attempt.done(std::move(answer));
  }

  // Time goes on by a moment at most: longer than what lingers here, or is tried again, takes.
  void run_until(const std::function<bool()>& condition) {
    EXPECT_TRUE(testing::run_until(loop_, condition, kMoment));
  }
  void run_until_settled() {
    run_until([this] { return deliverer_->settled(); });
  }

  std::string saved() {
    std::string out = "nothing";
    bool done = false;
    client_->load("p", [&out, &done](Result<std::vector<SavedPosition>> saved) {
      if (saved && !saved->empty()) out = saved->front().value;
      done = true;
    });
    run_until([&done] { return done; });
    return out;
  }

  TempDir folder_;
  HandLoop loop_;
  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  DeliveryConfig config_;
  BatchLimits limits_;
  ScriptedSource source_;
  ScriptedSink sink_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  std::unique_ptr<DeadLetterFile> letters_;
  std::unique_ptr<Acknowledgements> acknowledgements_;
  std::unique_ptr<Deliverer> deliverer_;
  std::vector<std::string> rejected_;
  std::string failure_;
  bool more_waits_ = false;  // in front of the deliverer
  int told_ = 0;             // times that it said so
};

}  // namespace leat::testing
