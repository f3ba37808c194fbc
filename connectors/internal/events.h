// Tells what happens to this agent and its pipelines, as records.
//
// What repeats is told once in `minInterval`: what comes in between is counted, and told together,
// with the text of the last. What waits so is told at the end of the agent, and forgotten when this
// pipeline ends before it.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "loop/handles.h"
#include "stage/source.h"

namespace leat {

class EventsSource final : public Source {
 public:
  explicit EventsSource(const Options& options);

  Status open(SourceContext& context) override;
  void resume() override { tell(); }
  void stop(std::function<void()> closed) override;
  SavedPosition saved_position(const Position& position) override {
    return {"internal", std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override {
    return "internal:" + std::to_string(position.offset);
  }

 private:
  using Key = std::pair<EventKind, std::string>;  // and the pipeline
  struct Kept {
    AgentEvent event;     // the last
    int64_t count = 0;    // not told of yet
    Milliseconds due{0};  // before which it is not told again, on the loop's clock
  };
  struct Told {
    AgentEvent event;
    int64_t count;
  };

  void heard(const AgentEvent* event);
  void take_due(bool all);
  void tell();
  Record record_of(Batch& batch, const Told& told) const;

  const Milliseconds least_;
  std::vector<EventKind> kinds_;
  const ShapeRef shape_;
  SourceContext* context_ = nullptr;
  std::map<Key, Kept> kept_;
  std::deque<Told> ready_;      // for want of credit
  std::optional<Timer> timer_;  // none before open() and after stop()
  bool ends_ = false;           // the agent does
  uint64_t told_ = 0;           // records
  Lifetime lifetime_;
};

}  // namespace leat
