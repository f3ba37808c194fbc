// Shows somebody some of the records behind a stage while the pipeline runs. It never slows the
// pipeline down: it gives so many lines a second at most, takes one part in twenty of the loop's
// time at most, and what it does not come to is skipped, and counted.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "stage/transform.h"
#include "task/chain.h"

namespace leat {

struct TapRequest {
  std::string at = {};     // a stage's name, or its number from 1; "": the last that gives records
  std::string where = {};  // only records for which this SQL expression is true
  bool dropped = false;    // what the stage does not give on, in the place of what it does
  int rate = 10;           // lines a second, at most
};

// Where the lines go, without their ends. Destroyed when no more will come.
class TapLines {
 public:
  virtual ~TapLines() = default;
  // False: there is no room for it now.
  virtual bool give(std::string line) = 0;
};

class Tap {
 public:
  // `stages`: Chain::stages(); `last_of_records`: index of the last of them that gives records.
  // kUsage when there is no such stage, or the expression is none.
  static Result<std::unique_ptr<Tap>> make(const TapRequest& request,
                                           const std::vector<std::string>& stages,
                                           size_t last_of_records, const Clock& clock,
                                           std::shared_ptr<TapLines> lines);

  size_t stage() const { return stage_; }
  void before(const Batch& batch);
  void behind(const Batch& batch);

 private:
  Tap(const Clock& clock, std::shared_ptr<TapLines> lines);
  void show(const Batch& batch);
  BatchRef kept_by_where(const Batch& batch);
  BatchRef dropped_from(const Batch& behind);
  void give(const Batch& batch);
  void refill(int64_t now_us);

  const Clock& clock_;
  const std::shared_ptr<TapLines> lines_;
  size_t stage_ = 0;
  std::string name_;
  bool dropped_ = false;
  double rate_ = 0;
  std::unique_ptr<Transform> where_;
  double left_ = 0;            // lines that may be given now
  int64_t refilled_us_ = 0;    // when that was found
  int64_t not_before_us_ = 0;  // it has had its share of the time until then
  int64_t said_skipped_us_ = 0;
  uint64_t skipped_ = 0;        // records
  std::vector<Record> before_;  // of the batch that the stage has got
};

// All of a chain's.
class Taps final : public ChainWatcher {
 public:
  static constexpr size_t kMost = 4;

  bool empty() const { return all_.empty(); }
  bool full() const { return all_.size() >= kMost; }
  void add(uint64_t id, std::unique_ptr<Tap> tap) { all_.emplace_back(id, std::move(tap)); }
  void remove(uint64_t id) {
    std::erase_if(all_, [id](const auto& one) { return one.first == id; });
  }

  void before(size_t step, const Batch& batch) override {
    for (auto& [id, tap] : all_)
      if (tap->stage() == step) tap->before(batch);
  }
  void behind(size_t step, const Batch& batch) override {
    for (auto& [id, tap] : all_)
      if (tap->stage() == step) tap->behind(batch);
  }

 private:
  std::vector<std::pair<uint64_t, std::unique_ptr<Tap>>> all_;
};

}  // namespace leat
