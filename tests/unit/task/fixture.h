// A task between a source and a sink that the test scripts, with a real loop, journal and
// dead-letter file.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/hand_loop.h"
#include "support/temp_dir.h"
#include "task/memory_share.h"
#include "task/task.h"
#include "task/verdict.h"

namespace leat::testing {

// Emits what the test says, and nothing by itself.
class ScriptedSource final : public Source {
 public:
  static inline ScriptedSource* made = nullptr;  // the newest one

  ScriptedSource() { made = this; }
  Status open(SourceContext& given) override {
    context = &given;
    return {};
  }
  void resume() override { ++resumed; }
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& position) override { acks.push_back(position.offset); }
  SavedPosition saved_position(const Position& position) override {
    return {"f" + std::to_string(position.partition), std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override {
    return "f" + std::to_string(position.partition) + ":" + std::to_string(position.line);
  }

  SourceContext* context = nullptr;  // once it is open
  int resumed = 0;
  std::vector<uint64_t> acks;
};

// Keeps what it is given until the test answers.
class ScriptedSink final : public Sink {
 public:
  static inline ScriptedSink* made = nullptr;
  struct Attempt {
    std::vector<std::string> records;
    Done done;
    std::vector<SavedPosition> positions = {};
  };

  ScriptedSink() { made = this; }
  Status open(SinkContext& /*context*/) override { return {}; }
  void deliver(const Delivery& delivery, Done done) override {
    Attempt attempt{{}, std::move(done), delivery.positions};
    delivery.each_slice([&attempt](const Slice& slice) {
      attempt.records.emplace_back(slice.view().substr(0, slice.size - 1));
    });
    attempts.push_back(std::move(attempt));
  }
  void finish(std::function<void(Status)> done) override {
    finished = true;
    done({});
  }
  void close(std::function<void()> closed) override { closed(); }
  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) override {
    asked.push_back(std::move(done));
  }

  std::deque<Attempt> attempts;
  std::deque<std::function<void(Result<std::vector<SavedPosition>>)>> asked;
  bool finished = false;
};

inline Result<std::unique_ptr<Source>> make_scripted_source(const Options& /*options*/) {
  return std::unique_ptr<Source>(new ScriptedSource);
}
inline Result<std::unique_ptr<Sink>> make_scripted_sink(const Options& /*options*/) {
  return std::unique_ptr<Sink>(new ScriptedSink);
}

template <Produces kProduces, Replay kReplay>
inline const SourceType kScriptedSource{.name = "script",
                                        .help = "",
                                        .produces = kProduces,
                                        .replay = replays<kReplay>,
                                        .options = {},
                                        .make = make_scripted_source};
inline const SinkType kScriptedSink{.name = "script sink",
                                    .help = "",
                                    .consumes = Consumes::kSlices,
                                    .options = {},
                                    .stores_positions = true,
                                    .make = make_scripted_sink};

// A pipeline from lines of JSON to lines of JSON; transforms are added.
inline PipelineConfig json_config(const SourceType& source) {
  PipelineConfig config;
  config.name = "p";
  config.source.type = &source;
  if (source.produces != Produces::kRecords) {
    config.source.format = find_read_format("json");
    config.source.format_options = Options(config.source.format->options);
  }
  config.sink.type = &kScriptedSink;
  config.sink.format = find_write_format("ndjson");
  config.sink.batch = {.records = 100, .bytes = 1 << 20, .linger = Milliseconds{1}};
  config.delivery.retry_initial = Milliseconds{1};
  config.delivery.retry_max = Milliseconds{2};
  return config;
}

inline void add_transform(PipelineConfig& config, const std::string& type,
                          const std::map<std::string, Options::Item>& items) {
  TransformConfig transform{find_transform(type), Options(find_transform(type)->options, "t")};
  for (const auto& [name, item] : items) transform.options.set(name, item);
  config.transforms.push_back(std::move(transform));
}

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
    Result<std::unique_ptr<Task>> made = Task::make(
        {.config = config_,
         .name = config_.name,
         .loop = loop_,
         .journal = *client_,
         .usage = usage_,
         .agent = agent_,
         .data_dir = folder_.path(),
         .memory = kMemory,
         .budget = budget_,
         .limit = *limit_,
         .dead_letters = *dead_letters_,
         .verdict = [this] { return verdict_of(config_.max_dead_letters, task_->status()); },
         .on_trouble = nullptr});
    if (!made) throw std::runtime_error(made.error().message());
    task_ = std::move(*made);
    budget_.on_room([this] { task_->wake(); });
    task_->start([this](Status status) {
      result_ = std::move(status);
      ended_ = true;
    });
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
};

}  // namespace leat::testing
