// Asks every loop for a word, so that it is known that each still turns. One that is stuck does not
// answer, and then the roll call does not end.
//
// Thread: the first host's loop, its home.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/loop_host.h"

namespace leat {

class RollCall {
 public:
  // What a host has to say; called on its loop.
  using Answer = std::function<std::vector<std::string>(LoopHost&)>;
  // All of that, in the order of the hosts; called at home.
  using AllAnswered = std::function<void(const std::vector<std::string>&)>;

  // The hosts must outlive this, and home the others' threads.
  RollCall(std::vector<LoopHost*> hosts, Answer answer, AllAnswered all_answered);
  // What is under way is then forgotten.
  ~RollCall();
  RollCall(const RollCall&) = delete;
  RollCall& operator=(const RollCall&) = delete;

  // While answers are missing nothing more is asked, so that nothing heaps up at a loop that is
  // stuck; it is asked again when they have come.
  void ask();

 private:
  struct State;
  static void ask(const std::shared_ptr<State>& state);
  static void answered(const std::shared_ptr<State>& state, size_t index,
                       std::vector<std::string> answer);
  std::shared_ptr<State> state_;
};

}  // namespace leat
