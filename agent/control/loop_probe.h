// Asks every loop how its pipelines are, so that it is known, too, that each still turns. One that
// is stuck does not answer, and then the round does not end.
//
// Thread: the first host's loop, its home.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "control/loop_host.h"
#include "pipeline/pipeline.h"

namespace leat {

class LoopProbe {
 public:
  using Answers = std::map<RunId, PipelineStatus>;
  // Called at home.
  using Answered = std::function<void(const Answers&)>;

  // The hosts must outlive this, and home the others' threads.
  explicit LoopProbe(std::vector<LoopHost*> hosts);
  // What is under way is then forgotten.
  ~LoopProbe();
  LoopProbe(const LoopProbe&) = delete;
  LoopProbe& operator=(const LoopProbe&) = delete;

  // The answers are about what was before on each loop: what was posted there has run. While
  // answers are missing nothing more is asked, so that nothing heaps up at a loop that is stuck;
  // who asks meanwhile is answered by the next round.
  void ask(Answered answered);

 private:
  struct State;
  static void begin(const std::shared_ptr<State>& state);
  static void take(const std::shared_ptr<State>& state, Answers answers);
  std::shared_ptr<State> state_;
};

}  // namespace leat
