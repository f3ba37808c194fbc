// Pipelines that meet in a channel, on a loop whose time the test moves.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "channel/channels.h"
#include "pipeline/pipeline.h"
#include "support/hand_loop.h"
#include "support/scripted_stages.h"
#include "support/temp_dir.h"
#include "transform/types.h"

namespace leat {

extern const SourceType kChannelSource;
extern const SinkType kChannelSink;

namespace testing {
namespace {

using Lines = std::vector<std::string>;

constexpr size_t kMemory = 2 << 20;

Lines numbered(int first, int end) {
  Lines out;
  for (int i = first; i < end; ++i)
    out.push_back(R"({"n":)" + std::to_string(i) + R"(,"text":"some text that takes its room"})");
  return out;
}

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
  }
  ~ChannelTest() override {
    for (auto& [name, one] : running_) one.pipeline->abort("the test ends");
    EXPECT_TRUE(until([this] { return running_.empty(); }));
    client_.reset();
    journal_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  struct Running {
    std::unique_ptr<Pipeline> pipeline;
    ScriptedSource* source = nullptr;  // of a producer
    ScriptedSink* sink = nullptr;      // of a subscriber
    uint64_t offset = 0;
    Lines got;
    bool dead = false;  // its sink takes nothing
  };

  static PipelineConfig producer(const std::string& name, int64_t buffer = 64 * 1024) {
    PipelineConfig config = json_config(kScriptedSource<Produces::kBytes, Replay::kHoldsAck>);
    config.name = name;
    config.sink.type = &kChannelSink;
    config.sink.format = nullptr;
    config.sink.options = Options(kChannelSink.options, "sink");
    config.sink.options.set("name", std::string("c"));
    config.sink.options.set("buffer", buffer);
    config.sink.batch = kChannelSink.batch;
    config.sink.in_flight = kChannelSink.max_in_flight;
    config.delivery.spool.mode = SpoolMode::kNever;
    return config;
  }
  static PipelineConfig subscriber(const std::string& name,
                                   SpoolMode spool = SpoolMode::kOnTrouble) {
    PipelineConfig config = json_config(kChannelSource);
    config.name = name;
    config.source.options = Options(kChannelSource.options, "source");
    config.source.options.set("name", std::string("c"));
    config.delivery.spool.mode = spool;
    return config;
  }

  void start(const PipelineConfig& config) {
    const PipelineEnvironment environment{.loop = loop_,
                                          .journal = *client_,
                                          .usage = usage_,
                                          .agent = "agent",
                                          .data_dir = folder_.path(),
                                          .memory = kMemory,
                                          .channels = &channels_};
    Result<std::unique_ptr<Pipeline>> made = Pipeline::make(config, environment);
    if (!made) throw std::runtime_error(made.error().message());
    Running& one = running_[config.name];
    one.pipeline = std::move(*made);
    if (config.source.type != &kChannelSource) one.source = ScriptedSource::made;
    if (config.sink.type != &kChannelSink) one.sink = ScriptedSink::made;
    one.pipeline->start([this, name = config.name](const Status& status) {
      EXPECT_TRUE(status || status.error().message().starts_with("the test ends"))
          << status.error().message();
      gone_[name] = running_.at(name).got;
      running_.erase(name);
    });
    ASSERT_TRUE(until([&one] { return one.pipeline->status().opened; }));
  }
  void expect(const std::set<std::string>& writers, const std::set<std::string>& readers) {
    channels_.expect({{"c", writers}}, {{"c", readers}});
  }

  // As much as there is credit for.
  size_t give(const std::string& name, const Lines& lines) {
    Running& one = running_.at(name);
    size_t given = 0;
    for (; given < lines.size(); given += 20) {
      BatchRef batch = one.source->context->new_batch(Content::kBytes);
      if (!batch) break;
      std::string text;
      for (size_t i = given; i < std::min(given + 20, lines.size()); ++i) text += lines[i] + "\n";
      batch->arrival_us = loop_.clock().unix_us();
      batch->begin = {1, one.offset};
      batch->end = {1, one.offset += text.size()};
      const std::string_view kept = batch->arena.copy(text);
      batch->bytes = {const_cast<char*>(kept.data()), kept.size()};
      one.source->context->emit(std::move(batch));
    }
    return std::min(given, lines.size());
  }
  bool all_acked(const std::string& name) {
    const Running& one = running_.at(name);
    return until(
        [&one] { return !one.source->acks.empty() && one.source->acks.back() == one.offset; });
  }
  bool has(const std::string& name, const Lines& lines) {
    return until([this, &name, &lines] { return running_.at(name).got == lines; });
  }
  // Sinks answer; then whether it holds.
  bool until(const std::function<bool()>& condition, Milliseconds most = Milliseconds{1'000}) {
    return run_until(
        loop_,
        [this, &condition] {
          answer();
          return condition();
        },
        most);
  }
  void answer() {
    for (auto& [name, one] : running_) {
      while (one.sink != nullptr && !one.sink->attempts.empty()) {
        ScriptedSink::Attempt attempt = std::move(one.sink->attempts.front());
        one.sink->attempts.pop_front();
        if (!one.dead)
          one.got.insert(one.got.end(), attempt.records.begin(), attempt.records.end());
        attempt.done(one.dead ? Answer::retry("nobody is there") : Answer::delivered());
      }
    }
  }
  void pass(Milliseconds time) {
    constexpr Milliseconds kStep{100};
    for (Milliseconds passed{0}; passed < time; passed += kStep) {
      for (int i = 0; i < 10; ++i) {
        uv_run(loop_.uv(), UV_RUN_NOWAIT);
        answer();
      }
      loop_.advance(kStep);
    }
  }

  TempDir folder_;
  HandLoop loop_;
  JournalUsage usage_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  Channels channels_;
  std::map<std::string, Running> running_;
  std::map<std::string, Lines> gone_;  // what those that have ended had got
};

TEST_F(ChannelTest, every_subscriber_gets_what_one_gives) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  start(subscriber("a"));
  start(subscriber("b"));
  const Lines lines = numbered(0, 60);
  give("p", lines);
  EXPECT_TRUE(has("a", lines));
  EXPECT_TRUE(has("b", lines));
  EXPECT_TRUE(all_acked("p"));
}

TEST_F(ChannelTest, a_subscriber_gets_what_all_give) {
  expect({"p", "q"}, {"a"});
  start(producer("p"));
  start(producer("q"));
  start(subscriber("a"));
  give("p", numbered(0, 20));
  give("q", numbered(20, 40));
  EXPECT_TRUE(until([this] { return running_.at("a").got.size() == 40; }));
  EXPECT_TRUE(all_acked("p"));
  EXPECT_TRUE(all_acked("q"));
}

TEST_F(ChannelTest, the_source_is_acknowledged_when_the_last_subscriber_has_delivered) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  start(subscriber("a"));
  start(subscriber("b", SpoolMode::kNever));
  running_.at("b").dead = true;
  const Lines lines = numbered(0, 20);
  give("p", lines);
  EXPECT_TRUE(has("a", lines));
  pass(Milliseconds{500});
  EXPECT_TRUE(running_.at("p").source->acks.empty());
  running_.at("b").dead = false;
  EXPECT_TRUE(has("b", lines));
  EXPECT_TRUE(all_acked("p"));
}

// The hour of fake time, at ten records a second: the spool of the dead one takes what is its.
TEST_F(ChannelTest, a_subscriber_that_is_dead_for_an_hour_slows_nobody_and_loses_nothing) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  start(subscriber("a"));
  start(subscriber("b"));
  running_.at("b").dead = true;
  Lines all;
  for (int minute = 0; minute < 60; ++minute) {
    const Lines more = numbered(600 * minute, 600 * (minute + 1));
    all.insert(all.end(), more.begin(), more.end());
    size_t given = 0;
    ASSERT_TRUE(until([this, &more, &given] {
      given += give("p", Lines(more.begin() + static_cast<std::ptrdiff_t>(given), more.end()));
      return given == more.size() && running_.at("a").got.size() >= 100;
    })) << minute;
    ASSERT_TRUE(has("a", all)) << "in minute " << minute;
    ASSERT_TRUE(all_acked("p")) << "in minute " << minute;
    pass(Milliseconds{60'000});
    for (const char* name : {"p", "a", "b"})
      EXPECT_LE(running_.at(name).pipeline->status().memory_peak, kMemory) << name;
  }
  EXPECT_TRUE(running_.at("b").got.empty());
  EXPECT_EQ(running_.at("a").pipeline->status().spooled, 0U);
  running_.at("b").dead = false;
  running_.at("b").pipeline->kick();
  EXPECT_TRUE(has("b", all));
}

TEST_F(ChannelTest, one_that_cannot_spool_holds_the_others_back_behind_the_buffer) {
  expect({"p"}, {"a", "b"});
  start(producer("p", 8 * 1024));
  start(subscriber("a"));
  start(subscriber("b", SpoolMode::kNever));
  running_.at("b").dead = true;
  const Lines lines = numbered(0, 20'000);
  size_t given = 0;
  for (int i = 0; i < 100; ++i) {
    given += give("p", Lines(lines.begin() + static_cast<std::ptrdiff_t>(given), lines.end()));
    pass(Milliseconds{100});
  }
  EXPECT_LT(given, lines.size());
  EXPECT_FALSE(running_.at("a").got.empty());
  EXPECT_LE(running_.at("p").pipeline->status().memory_peak, kMemory);
  running_.at("b").dead = false;
  running_.at("b").pipeline->kick();
  ASSERT_TRUE(until([this, &lines, &given] {
    given += give("p", Lines(lines.begin() + static_cast<std::ptrdiff_t>(given), lines.end()));
    return given == lines.size();
  }));
  EXPECT_TRUE(has("a", lines));
  EXPECT_TRUE(has("b", lines));
}

TEST_F(ChannelTest, what_comes_while_a_subscriber_does_not_run_waits_for_it) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  start(subscriber("a"));
  const Lines lines = numbered(0, 20);
  give("p", lines);
  EXPECT_TRUE(has("a", lines));
  EXPECT_TRUE(running_.at("p").source->acks.empty());
  start(subscriber("b"));
  EXPECT_TRUE(has("b", lines));
  EXPECT_TRUE(all_acked("p"));
}

TEST_F(ChannelTest, the_next_run_of_a_subscriber_gets_what_the_last_has_not_delivered) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  start(subscriber("a"));
  start(subscriber("b", SpoolMode::kNever));
  running_.at("b").dead = true;
  const Lines lines = numbered(0, 20);
  give("p", lines);
  ASSERT_TRUE(has("a", lines));
  running_.at("b").pipeline->abort("the test ends");
  ASSERT_TRUE(until([this] { return !running_.contains("b"); }));
  EXPECT_TRUE(running_.at("p").source->acks.empty());
  start(subscriber("b"));
  EXPECT_TRUE(has("b", lines));
  EXPECT_TRUE(has("a", lines)) << "nothing comes twice";
  EXPECT_TRUE(all_acked("p"));
}

TEST_F(ChannelTest, one_that_is_a_subscriber_no_more_is_waited_for_no_more) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  start(subscriber("a"));
  const Lines lines = numbered(0, 20);
  give("p", lines);
  ASSERT_TRUE(has("a", lines));
  EXPECT_TRUE(running_.at("p").source->acks.empty());
  expect({"p"}, {"a"});
  EXPECT_TRUE(all_acked("p"));
}

TEST_F(ChannelTest, what_only_the_last_subscriber_had_to_get_is_not_acknowledged_when_it_goes) {
  expect({"p"}, {"a"});
  start(producer("p"));
  give("p", numbered(0, 20));
  pass(Milliseconds{100});
  expect({"p"}, {});
  pass(Milliseconds{100});
  EXPECT_TRUE(running_.at("p").source->acks.empty());
  expect({"p"}, {"b"});  // before it starts: one that nobody expects is over at once
  start(subscriber("b"));
  give("p", numbered(20, 40));
  EXPECT_TRUE(has("b", numbered(20, 40)));
}

// Its sink is dead, and has the records yet: the memory that they are in is the producer's.
TEST_F(ChannelTest, records_outlive_the_pipeline_that_gave_them) {
  expect({"p"}, {"a"});
  start(producer("p"));
  start(subscriber("a"));
  running_.at("a").dead = true;
  const Lines lines = numbered(0, 40);
  give("p", lines);
  ASSERT_TRUE(all_acked("p")) << "it is in the journal";
  running_.at("p").pipeline->drain();
  ASSERT_TRUE(until([this] { return !running_.contains("p"); }));
  running_.at("a").dead = false;
  running_.at("a").pipeline->kick();
  EXPECT_TRUE(has("a", lines));
}

// A run that had done with some of it, but not with what came before, may have let go of it.
TEST_F(ChannelTest, what_a_subscriber_had_taken_its_next_run_gets_also_when_the_producer_is_gone) {
  expect({"p"}, {"a"});
  start(producer("p"));
  PipelineConfig filters = subscriber("a", SpoolMode::kNever);
  filters.transforms.push_back({&kFilterTransform, Options(kFilterTransform.options, "filter")});
  filters.transforms.back().options.set("where", std::string("n < 20"));
  start(filters);
  running_.at("a").dead = true;
  for (int first : {0, 20}) {
    give("p", numbered(first, first + 20));
    pass(Milliseconds{100});
  }
  for (const char* name : {"p", "a"}) {
    running_.at(name).pipeline->abort("the test ends");
    ASSERT_TRUE(until([this, name] { return !running_.contains(name); }));
  }
  start(producer("p"));
  give("p", numbered(40, 80));  // into what was the first one's memory, if that has been let go
  start(subscriber("a"));
  EXPECT_TRUE(has("a", numbered(0, 80)));
}

TEST_F(ChannelTest, a_producer_that_is_stopped_leaves_what_nobody_has_taken) {
  expect({"p"}, {"a"});
  start(producer("p"));
  give("p", numbered(0, 20));
  pass(Milliseconds{100});
  running_.at("p").pipeline->abort("the test ends");
  ASSERT_TRUE(until([this] { return !running_.contains("p"); }));
  start(producer("p"));  // its source gives it again
  start(subscriber("a"));
  give("p", numbered(0, 20));
  EXPECT_TRUE(has("a", numbered(0, 20)));
}

TEST_F(ChannelTest, a_subscriber_ends_when_its_producers_have) {
  expect({"p"}, {"a"});
  start(producer("p"));
  start(subscriber("a"));
  give("p", numbered(0, 20));
  running_.at("p").source->context->finished({});
  ASSERT_TRUE(until([this] { return !running_.contains("p"); }));
  pass(Milliseconds{100});
  EXPECT_TRUE(running_.contains("a"));
  expect({}, {"a"});
  ASSERT_TRUE(until([this] { return !running_.contains("a"); }));
  EXPECT_EQ(gone_.at("a"), numbered(0, 20));
}

TEST_F(ChannelTest, a_buffer_that_is_full_again_and_again_waits_for_no_linger) {
  expect({"p"}, {"a"});
  start(producer("p", 8 * 1024));
  PipelineConfig slow = subscriber("a");
  slow.sink.batch.linger = Milliseconds{3'600'000};
  slow.delivery.spool.mode = SpoolMode::kNever;
  start(slow);
  const Lines lines = numbered(0, 2'000);
  size_t given = 0;
  for (int i = 0; i < 1'000 && given < lines.size(); ++i) {
    given += give("p", Lines(lines.begin() + static_cast<std::ptrdiff_t>(given), lines.end()));
    pass(Milliseconds{100});
  }
  EXPECT_EQ(given, lines.size());
}

TEST_F(ChannelTest, while_a_producer_is_drained_nobody_lingers) {
  expect({"p"}, {"a"});
  start(producer("p"));
  PipelineConfig slow = subscriber("a");
  slow.sink.batch.linger = Milliseconds{3'600'000};
  slow.delivery.spool.mode = SpoolMode::kNever;
  start(slow);
  give("p", numbered(0, 20));
  pass(Milliseconds{1'000});
  EXPECT_TRUE(running_.at("a").got.empty());
  running_.at("p").pipeline->drain();
  channels_.expect({{"c", {"p"}}}, {{"c", {"a"}}}, {"c"});
  EXPECT_TRUE(has("a", numbered(0, 20)));
  EXPECT_TRUE(until([this] { return !running_.contains("p"); }));
}

TEST_F(ChannelTest, what_is_done_to_values_in_their_place_is_seen_by_nobody_else) {
  expect({"p"}, {"a", "b"});
  start(producer("p"));
  PipelineConfig typed = subscriber("a");
  typed.source.fields = {{"n", Type::kString}};
  start(typed);
  start(subscriber("b"));
  give("p", {R"({"n":1})"});
  EXPECT_TRUE(has("a", {R"({"n":"1"})"}));
  EXPECT_TRUE(has("b", {R"({"n":1})"}));
}

TEST_F(ChannelTest, needs_an_agent) {
  PipelineConfig config = producer("p");
  const PipelineEnvironment environment{.loop = loop_,
                                        .journal = *client_,
                                        .usage = usage_,
                                        .agent = "agent",
                                        .data_dir = folder_.path(),
                                        .memory = kMemory};
  Result<std::unique_ptr<Pipeline>> made = Pipeline::make(config, environment);
  ASSERT_TRUE(made);
  EXPECT_FALSE((*made)->open());
  bool gone = false;
  (*made)->discard([&gone] { gone = true; });
  EXPECT_TRUE(until([&gone] { return gone; }));
}

}  // namespace
}  // namespace testing
}  // namespace leat
