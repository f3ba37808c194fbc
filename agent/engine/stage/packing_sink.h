// A sink that takes slices, for a format whose slices hold many records (WriteFormat::packs): it is
// given records, and each delivery is packed for itself. So whatever the engine does with records
// (spool them, cut a delivery that is refused in two, name a dead letter) it does with single ones.
//
// Thread: the pipeline's loop thread; one slice of each delivery is packed in a turn.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loop/timer.h"
#include "stage/sink.h"

namespace leat {

class PackingSink final : public Sink {
 public:
  explicit PackingSink(std::unique_ptr<Sink> inner);
  ~PackingSink() override;

  Status open(SinkContext& context) override;
  void deliver(const Delivery& delivery, Done done) override;
  void finish(std::function<void(Status)> done) override { inner_->finish(std::move(done)); }
  void close(std::function<void()> closed) override;
  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) override {
    inner_->load_positions(std::move(done));
  }

 private:
  class Context;
  class Refusals;
  struct Job {
    const Delivery* records;
    Done done;
    Delivery packed = {};
    BatchRef left = {};  // not packed yet
    size_t taken = 0;    // records that are
    std::vector<std::pair<uint32_t, Why>> bad = {};
  };

  void turn();
  std::optional<Answer> pack(Job& job);
  void hand_on(Job& job);
  void answer(Job& job, Answer answer);

  std::unique_ptr<Sink> inner_;
  bool opened_ = false;  // the inner one
  std::unique_ptr<Context> context_;
  std::unique_ptr<Encoder> encoder_;
  Charge held_;
  std::optional<Timer> turn_;
  std::list<Job> jobs_;
  std::deque<Job*> to_pack_;  // of them, in order; the others are with the inner sink
};

}  // namespace leat
