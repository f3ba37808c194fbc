// A task between a source and a sink that the test scripts, with a real loop, journal and
// dead-letter file.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/hand_loop.h"
#include "support/scripted_stages.h"
#include "support/temp_dir.h"
#include "task/memory_share.h"
#include "task/task.h"
#include "task/verdict.h"

namespace leat::testing {

class TaskTest : public ::testing::Test {
 protected:
  TaskTest() { open_journal(); }
  ~TaskTest() override {
    let_go();
    dead_letters_.reset();
    client_.reset();
    journal_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  void open_journal() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
  }
  // Makes the task of config_, and waits until its source is open.
  void start() {
    make();
    ASSERT_TRUE(run_until([this] { return source().context != nullptr || ended_; }));
  }
  void make() {
    ended_ = false;
    let_go();
    limit_ = std::make_unique<RateLimit>(config_.limits);
    dead_letters_ = std::make_unique<DeadLetterWriter>(
        loop_, config_.name, DeadLetterConfig{folder_ / "dead.jsonl"}, budget_);
    Result<std::unique_ptr<Task>> made = Task::make({.config = config_,
                                                     .plan = {config_.name, config_.source.options},
                                                     .loop = loop_,
                                                     .journal = *client_,
                                                     .usage = usage_,
                                                     .agent = agent_,
                                                     .data_dir = folder_.path(),
                                                     .memory = kMemory,
                                                     .budget = budget_,
                                                     .limit = *limit_,
                                                     .dead_letters = *dead_letters_,
                                                     .verdict = [this] { return verdict(); },
                                                     .on_trouble = nullptr,
                                                     .further_loops = further_loops_});
    if (!made) throw std::runtime_error(made.error().message());
    task_ = std::move(*made);
    budget_.on_room([this] { task_->wake(); });
    task_->start([this](Status status) {
      result_ = std::move(status);
      ended_ = true;
    });
  }

  Result<bool> verdict() {
    if (Status status = verdict_of(config_.max_dead_letters, task_->status()); !status)
      return fail(status.error());
    return true;
  }

  void let_go() {
    budget_.on_room(nullptr);
    task_.reset();
  }

  static ScriptedSource& source() { return *ScriptedSource::made; }
  static ScriptedSink& sink() { return *ScriptedSink::made; }

  // The source reads these lines, in one batch. False when it has no credit.
  bool read(const std::vector<std::string>& lines) {
    BatchRef batch = source().context->new_batch(Content::kBytes);
    if (!batch) return false;
    emit(std::move(batch), lines);
    return true;
  }
  void emit(BatchRef batch, const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    batch->arrival_us = loop_.clock().unix_us();
    batch->begin = {1, offset_, line_};
    offset_ += text.size();
    batch->end = {1, offset_, line_};
    char* bytes = batch->arena.array<char>(text.size());
    std::copy(text.begin(), text.end(), bytes);
    batch->bytes = {bytes, text.size()};
    source().context->emit(std::move(batch));
  }
  void end_of_input() { source().context->finished({}); }

  // What the sink was given next, when it has been.
  std::vector<std::string> attempted() {
    EXPECT_TRUE(run_until([] { return !sink().attempts.empty(); })) << "nothing came";
    return sink().attempts.empty() ? std::vector<std::string>{} : sink().attempts.front().records;
  }
  // Its answer to that.
  void answer(Answer answer) {
    attempted();
    ScriptedSink::Attempt attempt = std::move(sink().attempts.front());
    sink().attempts.pop_front();
    attempt.done(std::move(answer));
  }

  // While time goes on, so that what is tried again after a while is. After each turn of the loop
  // `each_turn_` is called, too. The condition may do something: once
  // it holds it is not asked again.
  bool run_until(const std::function<bool()>& condition) {
    bool met = false;
    auto turn = [&] {
      if (met) return true;
      if (each_turn_) each_turn_();
      met = condition();
      return met;
    };
    return testing::run_until(loop_, turn, Milliseconds{1'000});
  }
  bool ended() {
    return run_until([this] { return ended_; });
  }

  static constexpr size_t kMemory = 1 << 20;
  TempDir folder_;
  HandLoop loop_;
  Budget budget_{counted_of(kMemory)};
  JournalUsage usage_;
  std::string agent_ = "gw-1";
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  PipelineConfig config_ = json_config(kScriptedSource<Produces::kBytes, Replay::kFromPosition>);
  std::unique_ptr<RateLimit> limit_;
  std::unique_ptr<DeadLetterWriter> dead_letters_;
  std::unique_ptr<Task> task_;
  std::function<void()> each_turn_;
  Status result_;
  bool ended_ = false;
  uint64_t offset_ = 0;
  uint64_t line_ = 0;
  int further_loops_ = 0;
};

}  // namespace leat::testing
