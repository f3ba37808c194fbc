// The whole agent, with stages that the test leads and signals that it sends itself.
#include "control/agent.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "loop/handles.h"
#include "loop/signals.h"
#include "support/faulty_disk.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

void send(int number) {
  ::kill(::getpid(), number);
}

// What the stages below do and have done. All loops may be in it.
struct World {
  std::mutex mutex;
  std::map<std::string, int> opened;  // sources, by pipeline
  std::vector<std::string> agents;    // the id that each opening of a sink was told
  std::set<std::string> kept_open;    // their sources do not close
  std::set<std::string> closes_late;  // nor these at once
  std::map<std::string, std::function<void()>> closing;
  std::map<std::string, int> closed;  // sinks
  std::map<std::string, int> turns;   // of the loops, as counted by the sources
  std::set<int64_t> delivered;
  std::set<int> takes;  // which openings of the sink of "p" take records
  std::function<void(const std::string& pipeline)> on_open;
  std::function<void(const std::string& pipeline)> on_stop;
  std::function<void()> on_delivered;
  // What the source of "p" gives, one by one, each when its condition holds.
  std::vector<std::pair<int64_t, std::function<bool()>>> gives;
  size_t given = 0;
};
World* g_world = nullptr;

class LedSource final : public Source {
 public:
  Status open(SourceContext& context) override {
    context_ = &context;
    shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"n"});
    timer_ = std::make_unique<Timer>(context.loop());
    timer_->start_repeating(Milliseconds{1}, [this] { give(); });
    {
      std::lock_guard lock(g_world->mutex);
      ++g_world->opened[name()];
    }
    if (g_world->on_open) g_world->on_open(name());
    return {};
  }
  void resume() override {}
  void stop(std::function<void()> closed) override {
    std::string pipeline = name();
    if (g_world->closes_late.contains(pipeline)) {
      // Later than what the loop already has to read.
      timer_->start_repeating(Milliseconds{1}, [this, closed] {
        if (++late_ == 5) return closed();
      });
      if (g_world->on_stop) g_world->on_stop(pipeline);
      return;
    }
    timer_.reset();
    if (g_world->kept_open.contains(pipeline)) {
      g_world->closing[pipeline] = std::move(closed);
    } else {
      closed();
    }
    if (g_world->on_stop) g_world->on_stop(pipeline);
  }
  SavedPosition saved_position(const Position& /*position*/) override { return {}; }
  std::string describe(const Position& /*position*/) override { return "the test"; }

 private:
  const std::string& name() { return context_->pipeline(); }
  void give() {
    std::lock_guard lock(g_world->mutex);
    ++g_world->turns[name()];
    if (name() != "p" || g_world->given == g_world->gives.size()) return;
    auto& [n, may] = g_world->gives[g_world->given];
    if (!may()) return;
    BatchRef batch = context_->new_batch(Content::kRecords);
    if (!batch) return;
    ++g_world->given;
    auto* value = batch->arena.array<Value>(1);
    *value = Value::of_integer(n);
    batch->adopt(shape_);
    batch->records.push_back({shape_.get(), value, 0, 1, 1});
    batch->begin = {1, g_world->given - 1, g_world->given - 1};
    batch->end = {1, g_world->given, g_world->given};
    context_->emit(std::move(batch));
  }

  SourceContext* context_ = nullptr;
  ShapeRef shape_;
  int late_ = 0;  // turns of the loop
  std::unique_ptr<Timer> timer_;
};

class LedSink final : public Sink {
 public:
  Status open(SinkContext& context) override {
    name_ = context.pipeline();
    timer_ = std::make_unique<Timer>(context.loop());
    std::lock_guard lock(g_world->mutex);
    g_world->agents.push_back(context.agent());
    return {};
  }
  void deliver(const Delivery& delivery, Done done) override {
    std::lock_guard lock(g_world->mutex);
    if (!g_world->takes.contains(g_world->opened[name_])) return;  // hangs
    delivery.each_record(
        [](const Record& record) { g_world->delivered.insert(record.value(0).integer); });
    timer_->start(Milliseconds{0}, [done = std::move(done)] { done(Answer::delivered()); });
    if (g_world->on_delivered) g_world->on_delivered();
  }
  void close(std::function<void()> closed) override {
    timer_.reset();
    std::lock_guard lock(g_world->mutex);
    ++g_world->closed[name_];
    closed();
  }

 private:
  std::string name_;
  std::unique_ptr<Timer> timer_;
};

Result<std::unique_ptr<Source>> make_source(const Options& /*options*/) {
  return std::unique_ptr<Source>(new LedSource);
}

Result<std::unique_ptr<Sink>> make_sink(const Options& /*options*/) {
  return std::unique_ptr<Sink>(new LedSink);
}

const SourceType kSource{.name = "led",
                         .help = "",
                         .produces = Produces::kRecords,
                         .replay = replays<Replay::kNone>,
                         .options = {},
                         .make = make_source};
const SinkType kSink{
    .name = "led", .help = "", .consumes = Consumes::kRecords, .options = {}, .make = make_sink};

// Two of one version mean the same.
PipelineConfig pipeline(const std::string& name, int version = 1) {
  PipelineConfig out;
  out.name = name;
  out.delivery.breaker_threshold = version;
  out.source.type = &kSource;
  out.sink.type = &kSink;
  out.sink.batch.linger = Milliseconds{0};
  out.delivery.spool.mode = SpoolMode::kAlways;
  return out;
}

// Before the first thread, that of another test in this program included.
class HeldSignals : public ::testing::Environment {
 public:
  void SetUp() override { hold_signals(); }
};
const ::testing::Environment* const kHeld =
    ::testing::AddGlobalTestEnvironment(new HeldSignals);  // gtest's own

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() { g_world = &world_; }
  ~AgentTest() override {
    g_world = nullptr;
    if (asking_ >= 0) ::close(asking_);
  }

  AgentConfig with(std::vector<PipelineConfig> pipelines) {
    AgentConfig out;
    out.id = "test";
    out.data_dir = folder_.path();
    out.workers = workers_;
    out.drain_timeout = drain_timeout_;
    out.pipelines = std::move(pipelines);
    return out;
  }

  // Runs the first configuration, and at each SIGHUP takes the next. One that does not end is
  // stopped, and the test fails.
  ExitCode run(std::vector<AgentConfig> configs) {
    std::mutex mutex;
    std::condition_variable ended;
    bool done = false;
    std::thread guard([&] {
      std::unique_lock lock(mutex);
      if (ended.wait_for(lock, std::chrono::seconds(20), [&] { return done; })) return;
      ADD_FAILURE() << "the agent did not end by itself";
      send(SIGTERM);
      if (ended.wait_for(lock, std::chrono::seconds(5), [&] { return done; })) return;
      send(SIGTERM);
    });
    size_t next = 0;
    SystemClock clock;
    AgentHooks hooks{.clock = clock};
    auto written = [&] {
      return WrittenConfig{same_text_ ? "same" : std::to_string(next), configs.at(next)};
    };
    hooks.reload = [&]() -> Result<WrittenConfig> {
      next = std::min(next + 1, configs.size() - 1);
      return written();
    };
    hooks.read = [&](const std::string& text, Problems&) -> std::optional<AgentConfig> {
      return configs.at(std::stoul(text));
    };
    Result<ExitCode> code = run_agent(written(), hooks);
    {
      std::lock_guard lock(mutex);
      done = true;
    }
    ended.notify_one();
    guard.join();
    EXPECT_TRUE(code);
    return code ? *code : kExitUsage;
  }
  // As "leat restart" does.
  void ask_for_restart() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ / "leat.sock";
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    asking_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(asking_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const std::string text =
        "POST /api/v1/restart HTTP/1.1\r\nHost: leat\r\nContent-Length: 0\r\n\r\n";
    ASSERT_EQ(::send(asking_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Lets a source that was kept open close.
  void let_close(const std::string& pipeline) {
    world_.kept_open.erase(pipeline);
    auto found = world_.closing.find(pipeline);
    if (found == world_.closing.end()) return;
    auto closed = std::move(found->second);
    world_.closing.erase(found);
    closed();
  }
  using Openings = std::map<std::string, int>;

  int asking_ = -1;  // a connection to leat.sock
  testing::TempDir folder_;
  testing::FaultyDisk disk_{folder_.path()};
  World world_;
  // Only what the text names has changed: such a configuration is not kept in the journal first.
  bool same_text_ = false;
  int workers_ = 1;
  Milliseconds drain_timeout_{30'000};
};

TEST_F(AgentTest, answers_signals_that_came_before_it_ran) {
  send(SIGTERM);
  EXPECT_EQ(run({with({pipeline("a")})}), kExitDelivered);
}

TEST_F(AgentTest, a_restart_that_was_asked_for_is_what_it_ends_for) {
  world_.on_open = [this](const std::string& /*name*/) { ask_for_restart(); };
  EXPECT_EQ(run({with({pipeline("a")})}), kExitRestart);
}

TEST_F(AgentTest, told_to_stop_while_it_drains_for_a_restart_it_does_not_begin_anew) {
  world_.closes_late = {"a"};
  world_.on_open = [this](const std::string& /*name*/) { ask_for_restart(); };
  world_.on_stop = [](const std::string& /*name*/) { send(SIGTERM); };
  EXPECT_EQ(run({with({pipeline("a")})}), kExitDelivered);
}

TEST_F(AgentTest, a_changed_id_is_taken_by_pipelines_that_are_otherwise_the_same) {
  AgentConfig renamed = with({pipeline("a")});
  renamed.id = "renamed";
  world_.on_open = [this](const std::string& /*name*/) {
    if (world_.opened == Openings{{"a", 1}}) send(SIGHUP);
    if (world_.opened == Openings{{"a", 2}}) send(SIGTERM);
  };
  EXPECT_EQ(run({with({pipeline("a")}), renamed}), kExitDelivered);
  EXPECT_EQ(world_.agents, (std::vector<std::string>{"test", "renamed"}));
}

TEST_F(AgentTest, starts_a_pipeline_again_that_returns_while_it_drains) {
  world_.kept_open = {"b"};
  world_.on_open = [this](const std::string& name) {
    if (world_.opened == Openings{{"a", 1}, {"b", 1}}) send(SIGHUP);
    if (name == "c") send(SIGHUP);
    if (world_.opened["b"] == 2) send(SIGTERM);
  };
  world_.on_stop = [this](const std::string& name) {
    if (name == "c") let_close("b");
  };
  EXPECT_EQ(run({with({pipeline("a"), pipeline("b")}), with({pipeline("a"), pipeline("c")}),
                 with({pipeline("a"), pipeline("b")})}),
            kExitDelivered);
  EXPECT_EQ(world_.opened, (Openings{{"a", 1}, {"b", 2}, {"c", 1}}));
}

TEST_F(AgentTest,
       starts_only_the_last_of_several_configurations_that_came_while_a_pipeline_drains) {
  world_.kept_open = {"b"};
  world_.on_open = [this](const std::string& name) {
    if (world_.opened == Openings{{"a", 1}, {"b", 1}}) send(SIGHUP);
    if (name == "c" || name == "d") send(SIGHUP);
    if (world_.opened["b"] == 2) send(SIGTERM);
  };
  world_.on_stop = [this](const std::string& name) {
    if (name == "d") let_close("b");
  };
  EXPECT_EQ(run({with({pipeline("a"), pipeline("b", 1)}), with({pipeline("c"), pipeline("b", 2)}),
                 with({pipeline("d"), pipeline("b", 3)}), with({pipeline("a"), pipeline("b", 1)})}),
            kExitDelivered);
  EXPECT_EQ(world_.opened["b"], 2);
}

// The journal serves the loops in turn: what the old owner asked for last may come behind what the
// new one asks first.
TEST_F(AgentTest, what_a_slow_journal_still_takes_of_an_old_pipeline_comes_before_the_new_one) {
  workers_ = 2;
  same_text_ = true;
  drain_timeout_ = Milliseconds{20};
  std::atomic<bool> syncing = false;
  std::atomic<bool> slow = true;
  disk_.before(testing::DiskCall::kSync, [this, &syncing, &slow] {
    syncing = true;
    // The new pipeline gets its chance to be there first: some turns of the loop that starts it.
    std::optional<int> turns_then;
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (slow && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::lock_guard lock(world_.mutex);
      const int turns = world_.turns["x"];
      if (world_.closed["p"] > 0 && !turns_then) turns_then = turns;
      if (turns_then && turns >= *turns_then + 20) slow = false;
    }
  });
  auto asked_again = std::make_shared<int>(0);
  world_.gives = {{1, [] { return true; }}, {2, [this, asked_again, &syncing] {
                                               // The first is on its way into the journal.
                                               if (syncing && ++*asked_again == 20) send(SIGHUP);
                                               return world_.opened["p"] == 2;
                                             }}};
  world_.takes = {2};
  world_.on_delivered = [this] {
    if (world_.delivered.size() == 2) send(SIGTERM);
  };
  run({with({pipeline("x"), pipeline("p", 1)}), with({pipeline("x"), pipeline("p", 2)})});
  EXPECT_EQ(world_.delivered, (std::set<int64_t>{1, 2}));
  EXPECT_EQ(world_.opened["p"], 2);
}

}  // namespace
}  // namespace leat
