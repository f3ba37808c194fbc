#include "control/run.h"

#include <utility>

namespace leat {

Run::Run(LoopHost& home, LoopHost& host, RunId id, Config config, bool bounded, size_t memory)
    : home_(home),
      host_(host),
      id_(id),
      config_(std::move(config)),
      bounded_(bounded),
      memory_(memory) {}

void Run::start(const RunRecord& record, Finished finished) {
  on_its_loop([&home = home_, &host = host_, id = id_, record, noted = noted_,
               finished = std::move(finished)](ManagedPipeline& pipeline) {
    if (record.number != 0)
      host.journal().ride_along(id, [&host, &pipeline, record, noted] {
        if (!pipeline.has_read()) return false;
        *noted = true;
        RunHistory(host.journal()).note_start(record, [](const Status&) {});
        return true;
      });
    pipeline.start([&home, &host, id, finished](const Status& status) {
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
