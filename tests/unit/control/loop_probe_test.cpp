#include "control/loop_probe.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

// Counts how often it is asked, and says that.
class Counted final : public ManagedPipeline {
 public:
  explicit Counted(std::atomic<int>& rounds) : rounds_(rounds) {}
  Status open() override { return {}; }
  void discard(std::function<void()> /*done*/) override {}
  void start(std::function<void(Status)> /*finished*/) override {}
  void drain() override {}
  void abort(const std::string& /*why*/) override {}
  void kick() override {}
  void hold(const std::string& /*why*/) override {}
  Status tap(uint64_t, const TapRequest&, const std::shared_ptr<TapLines>&) override {
    return fail(ErrorKind::kUsage, "a fake shows nothing");
  }
  void untap(uint64_t) override {}
  Status feed(const MakeFeed& /*make*/) override { return {}; }
  void set_memory(size_t /*bytes*/) override {}
  bool bounded() const override { return false; }
  bool has_read() const override { return false; }
  PipelineStatus status() const override {
    PipelineStatus out;
    out.records = static_cast<uint64_t>(++rounds_);
    return out;
  }

 private:
  std::atomic<int>& rounds_;
};

// Home on the test's thread, and two workers.
class LoopProbeTest : public ::testing::Test {
 protected:
  LoopProbeTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", clock_);
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    for (int i = 0; i < 3; ++i)
      hosts_.push_back(std::make_unique<LoopHost>(*journal_, std::make_unique<Loop>(clock_)));
    journal_->start();
    for (size_t i = 1; i < hosts_.size(); ++i) hosts_[i]->start_thread();
    std::vector<LoopHost*> hosts;
    for (const auto& host : hosts_) {
      RunId id = hosts.size();
      hosts.push_back(host.get());
      host->loop().post([this, host = host.get(), id] {
        host->pipelines[id] = std::make_unique<Counted>(rounds_at_[id]);
      });
    }
    probe_ = std::make_unique<LoopProbe>(hosts);
  }
  ~LoopProbeTest() override {
    probe_.reset();
    for (; !hosts_.empty(); hosts_.pop_back()) EXPECT_TRUE(hosts_.back()->close());
  }

  void ask() {
    probe_->ask([this](const LoopProbe::Answers& answers) { answers_.push_back(answers); });
  }
  // The loop of this worker does not turn until the promise is kept.
  void block(size_t worker, std::promise<void>& release) {
    hosts_[worker]->loop().post([until = release.get_future().share()] { until.wait(); });
  }
  // Waits until all that was posted to a host has run there.
  void pass_through(size_t worker) {
    bool passed = false;
    hosts_[worker]->loop().post(
        [this, &passed] { hosts_[0]->loop().post([&passed] { passed = true; }); });
    ASSERT_TRUE(testing::run_until(hosts_[0]->loop(), [&passed] { return passed; }));
  }
  bool wait_answers(size_t count) {
    return testing::run_until(hosts_[0]->loop(),
                              [this, count] { return answers_.size() == count; });
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
  std::unique_ptr<Journal> journal_;
  std::vector<std::unique_ptr<LoopHost>> hosts_;
  std::unique_ptr<LoopProbe> probe_;
  std::atomic<int> rounds_at_[3] = {0, 0, 0};  // how often each loop was asked
  std::vector<LoopProbe::Answers> answers_;
};

TEST_F(LoopProbeTest, ends_when_all_loops_have_said_how_their_pipelines_are) {
  ask();
  ASSERT_TRUE(wait_answers(1));
  ASSERT_EQ(answers_[0].size(), 3U);
  for (RunId id = 0; id < 3; ++id) EXPECT_EQ(answers_[0][id].records, 1U) << id;
}

TEST_F(LoopProbeTest, comes_after_what_was_posted_before) {
  bool started = false;
  hosts_[1]->loop().post(
      [this, &started] { hosts_[0]->loop().post([&started] { started = true; }); });
  ask();
  ASSERT_TRUE(wait_answers(1));
  EXPECT_TRUE(started);
}

TEST_F(LoopProbeTest, does_not_end_while_one_loop_is_stuck) {
  std::promise<void> release;
  block(1, release);
  ask();
  pass_through(0);
  pass_through(2);
  pass_through(0);
  EXPECT_TRUE(answers_.empty());
  release.set_value();
  EXPECT_TRUE(wait_answers(1));
}

TEST_F(LoopProbeTest, does_not_heap_up_questions_at_a_stuck_loop) {
  std::promise<void> release;
  block(1, release);
  for (int i = 0; i < 1000; ++i) ask();
  pass_through(2);
  EXPECT_TRUE(answers_.empty());
  release.set_value();
  ASSERT_TRUE(wait_answers(1000));
  // The one that waited, and one for all that came in the meantime.
  EXPECT_EQ(rounds_at_[1], 2);
}

TEST_F(LoopProbeTest, may_be_dropped_while_answers_are_missing) {
  std::promise<void> release;
  block(2, release);
  ask();
  probe_.reset();
  release.set_value();
  for (size_t i = 1; i < 3; ++i) pass_through(i);
  pass_through(0);
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace leat
