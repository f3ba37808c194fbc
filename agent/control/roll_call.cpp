#include "control/roll_call.h"

#include <utility>

namespace leat {

// Shared with the tasks that are under way. Only `hosts` and `answer`, which never change, are read
// outside of home.
struct RollCall::State {
  std::vector<LoopHost*> hosts;
  Answer answer;
  AllAnswered all_answered;
  std::vector<std::vector<std::string>> answers;  // by host
  size_t missing = 0;
  bool again = false;
};

RollCall::RollCall(std::vector<LoopHost*> hosts, Answer answer, AllAnswered all_answered)
    : state_(std::make_shared<State>()) {
  state_->hosts = std::move(hosts);
  state_->answer = std::move(answer);
  state_->all_answered = std::move(all_answered);
  state_->answers.resize(state_->hosts.size());
}

RollCall::~RollCall() {
  state_->all_answered = nullptr;
}

void RollCall::ask() {
  ask(state_);
}

void RollCall::ask(const std::shared_ptr<State>& state) {
  state->again = state->missing > 0;
  if (state->again) return;
  state->missing = state->hosts.size();
  for (size_t i = 0; i < state->hosts.size(); ++i) {
    state->hosts[i]->post([state, i] {
      state->hosts.front()->post([state, i, said = state->answer(*state->hosts[i])]() mutable {
        answered(state, i, std::move(said));
      });
    });
  }
}

void RollCall::answered(const std::shared_ptr<State>& state, size_t index,
                        std::vector<std::string> answer) {
  state->answers[index] = std::move(answer);
  if (--state->missing > 0 || !state->all_answered) return;
  std::vector<std::string> all;
  for (const std::vector<std::string>& one : state->answers)
    all.insert(all.end(), one.begin(), one.end());
  state->all_answered(all);
  if (state->again) ask(state);
}

}  // namespace leat
