#include "cli/peers.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <utility>

#include "base/text.h"
#include "cli/output.h"
#include "cli/sigpipe.h"
#ifdef LEAT_CLUSTER
#include "control/cluster/probe.h"
#endif
#include "loop/handles.h"
#include "loop/loop.h"
#include "stage/probe.h"

namespace leat {
namespace {

// What is left when all have answered: connections that close.
constexpr Milliseconds kGoodbye{500};

class Round {
 public:
  Round(Loop& loop, Milliseconds deadline) : loop_(loop), deadline_(deadline) {}

  template <typename Stage>
  void ask(const AgentConfig& config, const PipelineConfig& pipeline, const char* where,
           const Stage& stage) {
    begin(config, pipeline, where, stage, stage.type->probe);
  }
#ifdef LEAT_CLUSTER
  void ask_cluster(const ClusterConfig& cluster) {
    Probed done = begun("agent", "cluster", "postgres", "agent.cluster");
    probes_.push_back(cluster::probe(loop_, cluster, std::move(done)));
  }
#endif
  void ask_tasks(const AgentConfig& config, const PipelineConfig& pipeline) {
    const SourceConfig& source = pipeline.source;
    if (source.type->tasks == nullptr || source.type->tasks(source.options).empty()) return;
    begin(config, pipeline, "source", source, source.type->ask_tasks);
  }

  std::vector<Peer> answers() {
    Timer timer(loop_);
    bool over = false;
    timer.start(deadline_, [&over] { over = true; });
    while (open_ > 0 && !over) uv_run(loop_.uv(), UV_RUN_ONCE);
    probes_.clear();
    return {std::make_move_iterator(peers_.begin()), std::make_move_iterator(peers_.end())};
  }

 private:
  template <typename Stage>
  void begin(const AgentConfig& config, const PipelineConfig& pipeline, const char* where,
             const Stage& stage,
             std::unique_ptr<PeerProbe> (*probe)(const Options&, const ProbeContext&, Probed)) {
    if (probe == nullptr) return;
    Probed done = begun(pipeline.name, where, stage.type->name, stage.options.path());
    probes_.push_back(probe(stage.options,
                            {loop_, config.id, pipeline.name, pipeline.delivery.exactly_once},
                            std::move(done)));
  }

  Probed begun(const std::string& whose, const char* where, std::string_view type,
               const std::string& path) {
    peers_.push_back(
        {whose, where, std::string(type), path,
         fail(ErrorKind::kUnavailable, "no answer within " + format_duration(deadline_)),
         deadline_.count() * 1000});
    ++open_;
    return [this, &peer = peers_.back(),
            began = loop_.clock().monotonic_us()](Result<std::string> answer) {
      peer.answer = std::move(answer);
      peer.took_us = loop_.clock().monotonic_us() - began;
      --open_;
    };
  }

  Loop& loop_;
  const Milliseconds deadline_;
  std::deque<Peer> peers_;  // each stays where it is
  std::vector<std::unique_ptr<PeerProbe>> probes_;
  size_t open_ = 0;
};

std::string milliseconds(int64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, us < 10'000 ? "%.1f" : "%.0f", static_cast<double>(us) / 1000);
  return text;
}

// `ask` says of whom; all at once.
template <typename Ask>
std::vector<Peer> in_one_round(const Clock& clock, Milliseconds deadline, Ask ask) {
  WithoutSigpipe without_sigpipe;
  // Not destroyed where something does not come back (a look-up, a file on a share that is gone):
  // the end of the process would wait for it.
  auto loop = std::make_unique<Loop>(clock);
  std::vector<Peer> out;
  {
    Round round(*loop, deadline);
    ask(round);
    out = round.answers();
  }
  if (!loop->close(kGoodbye)) (void)loop.release();
  return out;
}

}  // namespace

std::vector<Peer> ask_peers(const Clock& clock, const AgentConfig& config, Milliseconds deadline) {
  return in_one_round(clock, deadline, [&config](Round& round) {
    for (const PipelineConfig& pipeline : config.pipelines) {
      if (!pipeline.complete()) continue;  // where its peers are only a run knows
      round.ask(config, pipeline, "source", pipeline.source);
      round.ask(config, pipeline, "sink", pipeline.sink);
    }
    for (const PipelineConfig& own : config.own_pipelines) round.ask(config, own, "sink", own.sink);
#ifdef LEAT_CLUSTER
    if (config.cluster) round.ask_cluster(*config.cluster);
#endif
  });
}

std::vector<Peer> ask_tasks(const Clock& clock, const AgentConfig& config, Milliseconds deadline) {
  return in_one_round(clock, deadline, [&config](Round& round) {
    for (const PipelineConfig& pipeline : config.pipelines)
      if (pipeline.complete()) round.ask_tasks(config, pipeline);
  });
}

std::string line_of(const Peer& peer) {
  std::string out = peer.pipeline + " " + peer.stage + " " + peer.type + ": ";
  if (!peer.answer) return out + "failed: " + peer.answer.error().message();
  return out + "ok in " + milliseconds(peer.took_us) + " ms: " + *peer.answer;
}

std::string json_of(const std::vector<Peer>& peers) {
  std::string out;
  for (const Peer& peer : peers) {
    out += (out.empty() ? "" : ",") + std::string("{\"pipeline\":") + json_quoted(peer.pipeline) +
           ",\"stage\":\"" + peer.stage + "\",\"type\":" + json_quoted(peer.type) +
           ",\"path\":" + json_quoted(peer.path) + ",\"ok\":" + (peer.answer ? "true" : "false") +
           ",\"milliseconds\":" + milliseconds(peer.took_us) + ",\"message\":" +
           json_quoted(peer.answer ? *peer.answer : peer.answer.error().message()) + "}";
  }
  return "[" + out + "]";
}

}  // namespace leat
