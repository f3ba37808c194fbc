#include "control/loop_probe.h"

#include <utility>

namespace leat {

// Shared with the tasks that are under way. Only `hosts`, which never change, are read outside of
// home.
struct LoopProbe::State {
  std::vector<LoopHost*> hosts;
  std::vector<Answered> asked;    // answered by this round
  std::vector<Answered> waiting;  // by the next
  Answers answers;
  size_t missing = 0;
  bool gone = false;
};

LoopProbe::LoopProbe(std::vector<LoopHost*> hosts) : state_(std::make_shared<State>()) {
  state_->hosts = std::move(hosts);
}

LoopProbe::~LoopProbe() {
  state_->gone = true;
}

void LoopProbe::ask(Answered answered) {
  state_->waiting.push_back(std::move(answered));
  if (state_->missing == 0) begin(state_);
}

void LoopProbe::begin(const std::shared_ptr<State>& state) {
  state->asked.swap(state->waiting);
  state->missing = state->hosts.size();
  for (LoopHost* host : state->hosts) {
    host->loop().post([state, host] {
      Answers answers;
      for (const auto& [id, pipeline] : host->pipelines) answers[id] = pipeline->status();
      state->hosts.front()->loop().post(
          [state, answers = std::move(answers)]() mutable { take(state, std::move(answers)); });
    });
  }
}

void LoopProbe::take(const std::shared_ptr<State>& state, Answers answers) {
  state->answers.merge(answers);
  if (--state->missing > 0) return;
  Answers all = std::exchange(state->answers, {});
  for (const Answered& answered : std::exchange(state->asked, {}))
    if (!state->gone) answered(all);
  if (!state->gone && state->missing == 0 && !state->waiting.empty()) begin(state);
}

}  // namespace leat
