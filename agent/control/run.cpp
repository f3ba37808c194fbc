#include "control/run.h"

#include <utility>

#include "control/tasks_json.h"

namespace leat {

Run::Run(LoopHost& home, LoopHost& host, RunId id, Config config, bool bounded, size_t memory)
    : home_(home),
      host_(host),
      id_(id),
      config_(std::move(config)),
      bounded_(bounded),
      memory_(memory) {}

#ifdef LEAT_TASK_HISTORY
namespace {

// Keeps the tasks of a job that runs in the journal (tasks_json.h), when one has begun or ended:
// with what is written anyway, or by itself after a while, as where the sink keeps the positions.
//
// Thread: the pipeline's loop's.
class TaskKeeper {
 public:
  static constexpr Milliseconds kEvery{10'000};

  TaskKeeper(LoopHost& host, ManagedPipeline& pipeline, RunRecord record)
      : host_(host), pipeline_(pipeline), record_(std::move(record)), timer_(host.loop()) {
    if (is_job()) timer_.start_repeating(kEvery, [this] { keep(); });
  }
  bool is_job() const { return pipeline_.task_changes().has_value(); }
  void keep() {
    const uint64_t now = pipeline_.task_changes().value_or(0);
    if (std::exchange(seen_, now) != now)
      keep_tasks(host_.journal(), record_.pipeline, record_.number, pipeline_.source_tasks());
  }

 private:
  LoopHost& host_;
  ManagedPipeline& pipeline_;
  const RunRecord record_;
  uint64_t seen_ = 0;
  Timer timer_;
};

}  // namespace
#endif

void Run::start(const RunRecord& record, Finished finished) {
  on_its_loop([&home = home_, &host = host_, id = id_, record, noted = noted_,
               finished = std::move(finished)](ManagedPipeline& pipeline) {
#ifdef LEAT_TASK_HISTORY
    std::shared_ptr<TaskKeeper> keeper;
    if (record.number != 0) keeper = std::make_shared<TaskKeeper>(host, pipeline, record);
    const auto keep = [keeper] {
      if (!keeper->is_job()) return true;
      keeper->keep();
      return false;
    };
#else
    const auto keep = [] { return true; };
#endif
    if (record.number != 0)
      host.journal().ride_along(id, [&host, &pipeline, record, noted, keep] {
        if (!*noted && pipeline.has_read()) {
          *noted = true;
          RunHistory(host.journal()).note_start(record, [](const Status&) {});
        }
        return keep() && *noted;
      });
    // What `keep` holds goes when this does.
    pipeline.start([&home, &host, id, finished, keep](const Status& status) {
      host.journal().get_off(id);
      PipelineStatus counters = host.pipelines.at(id)->status();
      host.pipelines.erase(id);
      host.journal().flush([&home, finished, status, counters] {
        home.loop().post([finished, status, counters] { finished(status, counters); });
      });
    });
  });
}

void Run::drain() {
  on_its_loop([](ManagedPipeline& pipeline) { pipeline.drain(); });
}

void Run::retire(Milliseconds at_most, const std::string& when_late) {
  const Milliseconds due = home_.loop().now() + at_most;
  if (retiring() && due >= due_) return;
  if (!retiring()) {
    drain();
    deadline_ = std::make_unique<Timer>(home_.loop());
  }
  due_ = due;
  deadline_->start(at_most, [this, when_late] { abort(when_late); });
}

void Run::abort(const std::string& why) {
  on_its_loop([why](ManagedPipeline& pipeline) { pipeline.abort(why); });
}

void Run::discard(std::function<void()> done) {
  on_its_loop(
      [&home = home_, &host = host_, id = id_, done = std::move(done)](ManagedPipeline& pipeline) {
        pipeline.discard([&home, &host, id, done] {
          host.pipelines.erase(id);
          home.loop().post(done);
        });
      });
}

void Run::kick() {
  on_its_loop([](ManagedPipeline& pipeline) { pipeline.kick(); });
}

void Run::tap(uint64_t id, TapRequest request, std::shared_ptr<TapLines> lines,
              std::function<void(Status)> done) {
  on_its_loop([&home = home_, id, request = std::move(request), lines = std::move(lines),
               done = std::move(done)](ManagedPipeline& pipeline) {
    home.loop().post([done, status = pipeline.tap(id, request, lines)] { done(status); });
  });
}

void Run::untap(uint64_t id) {
  on_its_loop([id](ManagedPipeline& pipeline) { pipeline.untap(id); });
}

void Run::feed(MakeFeed make, std::function<void(Status)> done) {
  on_its_loop(
      [&home = home_, make = std::move(make), done = std::move(done)](ManagedPipeline& pipeline) {
        home.loop().post([done, status = pipeline.feed(make)] { done(status); });
      });
}

void Run::set_memory(size_t bytes) {
  if (std::exchange(memory_, bytes) == bytes) return;
  on_its_loop([bytes](ManagedPipeline& pipeline) { pipeline.set_memory(bytes); });
}

void Run::hold(const std::string& why) {
  if (std::exchange(held_, why) == why) return;
  on_its_loop([why](ManagedPipeline& pipeline) { pipeline.hold(why); });
}

void Run::on_its_loop(std::function<void(ManagedPipeline&)> call) const {
  host_.loop().post([&host = host_, id = id_, call = std::move(call)] {
    auto found = host.pipelines.find(id);
    if (found != host.pipelines.end()) call(*found->second);
  });
}

namespace {

struct Made {
  bool made = false;
  bool bounded = false;
  Status status;
};

Made make_and_open(const MakePipeline& make, const Preparing& one) {
  Result<std::unique_ptr<ManagedPipeline>> made = make(*one.config, one.environment);
  if (!made) return {.status = fail(made.error())};
  Made out{.made = true, .bounded = (*made)->bounded(), .status = (*made)->open()};
  one.host->pipelines[one.id] = std::move(*made);
  return out;
}

}  // namespace

void prepare(LoopHost& home, const MakePipeline& make, std::vector<Preparing> all,
             std::function<void(std::vector<Prepared>)> done) {
  struct State {  // touched at home only
    std::vector<Prepared> prepared;
    size_t missing;
    std::function<void(std::vector<Prepared>)> done;
  };
  auto state = std::make_shared<State>(State{{}, all.size(), std::move(done)});
  state->prepared.resize(all.size());
  if (all.empty()) return home.loop().post([state] { state->done({}); });
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].host->loop().post([&home, &make, state, i, one = std::move(all[i])] {
      home.loop().post([&home, state, i, one, made = make_and_open(make, one)] {
        Prepared& out = state->prepared[i];
        out.config = one.config;
        out.status = made.status;
        if (made.made)
          out.run = std::make_unique<Run>(home, *one.host, one.id, one.config, made.bounded,
                                          one.environment.memory);
        if (--state->missing == 0) state->done(std::move(state->prepared));
      });
    });
  }
}

}  // namespace leat
