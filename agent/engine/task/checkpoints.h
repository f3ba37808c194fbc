// Saves what the transforms of a task remember, in one transaction of the journal with the
// positions it covers (engine/state/README.md).
//
// The debts of all batches that have gone through the chain are held here, too, so that nothing of
// them is acknowledged before it is covered. Between two batches of the source a checkpoint is
// taken: what has changed, and what is owed for it. It is stored when nobody else holds any of that
// debt, which is when all that came out of the chain before is delivered, or in the spool. So what
// is saved is always what the records before the saved positions have made, and no others.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifetime.h"
#include "delivery/acknowledgements.h"
#include "delivery/delivery_config.h"
#include "journal/journal.h"
#include "journal/journal_usage.h"
#include "loop/loop.h"
#include "memory/budget.h"
#include "record/batch.h"
#include "stage/source.h"
#include "state/state.h"
#include "task/chain.h"

namespace leat {

struct CheckpointsSetup {
  Loop& loop;
  std::string pipeline;
  JournalClient& journal;
  JournalUsage& usage;
  Acknowledgements& acknowledgements;
  const DeliveryConfig& config;
  Replay replay;  // of the source
  Budget& budget;
  std::function<void()> wake;  // check() or has_turn() may do something now
};

class Checkpoints final : public ChainKeeper, private Acknowledger {
 public:
  explicit Checkpoints(CheckpointsSetup setup);

  // Of the chain: they are saved from now on. Outlive this.
  void attach(std::vector<TransformState*> states);
  // Takes what was saved of them from the source's positions. Before anything goes through the
  // chain. What cannot be read, or belongs to nothing here, is forgotten, and the log says so.
  void restore(std::vector<SavedPosition>& saved);

  // ChainKeeper.
  void hold(const Batch& batch) override;

  // The source's window is full.
  void in_flight_full(bool full);
  // Takes a checkpoint when it is time, and stores it when it may be. `between`: nothing is in the
  // chain; `empty`: and nothing waits for it.
  void check(bool between, bool empty);

  // Something is to come out of the chain without records that go in: with tick(), which is for
  // Chain::first_state().
  bool has_turn() const;
  BatchRef tick(BlockPool& pool);

  // The source gives nothing more: what the first state of those that have not been told holds for
  // more of it comes out. To be asked again when that has gone through, since it is input of the
  // states behind. False when all have been told.
  bool end_of_input();
  // Nothing comes out any more; the last checkpoint is taken and stored. False as long as that goes
  // on. `may_leave`: what is not delivered yet is not waited for, since it will be read again.
  bool finished(bool between, bool may_leave);
  void stop();

 private:
  // What is held of a partition: stretches one behind the other become one once they are in nobody
  // else's hands, so that what is held for long stays small.
  struct Held {
    Acknowledger* to;
    Position end;
    Owed owed;
    uint32_t added = 0;  // since it was put together
  };
  bool in_use() const { return !states_.empty(); }
  Held& held_of(const Batch& batch);
  bool may_store() const;
  Milliseconds longest_hold() const;
  bool wanted(bool empty) const;
  void take();
  void store();
  void stored(const Status& status, uint64_t rows_before);
  void watch(bool between);
  void forget(const std::vector<SavedPosition>& rows);
  Status load(std::vector<SavedPosition>& rows);
  Status load_row(std::string_view content, bool first, std::vector<TransformState*>& places);
  std::string partition_of(uint64_t row) const;

  // Acknowledger, of what tick() gives.
  SavedPosition saved_position(const Position&) override { return {}; }
  std::string describe(const Position&) override { return "what was remembered"; }

  const CheckpointsSetup setup_;
  std::vector<TransformState*> states_;
  std::vector<Held> held_;  // by what has changed since the last checkpoint was taken
  size_t last_ = 0;         // of them, that of the last batch
  Milliseconds held_since_{0};
  bool full_ = false;
  bool leaving_ = false;  // no turns any more
  size_t ended_ = 0;      // of the states, those whose input has ended

  std::string taken_;       // the row that is to be stored; with the journal while it is stored
  size_t taken_bytes_ = 0;  // of it; 0: none
  bool taken_all_ = false;
  Owed owed_;                        // by it
  std::vector<Reached> owed_up_to_;  // of each partition
  bool storing_ = false;
  Charge charge_;

  uint64_t first_row_ = 0;  // of those that are in the journal
  uint64_t end_row_ = 0;
  size_t log_bytes_ = 0;  // in them, behind the first
  bool must_save_all_ = true;

  bool failed_ = false;   // and that was said
  bool gave_up_ = false;  // the last one failed
  Milliseconds again_at_{0};
  DoublingDelay delay_{Milliseconds{1'000}, Milliseconds{60'000}};
  uint64_t ticks_ = 0;
  Milliseconds watching_for_{0};  // by the timer
  Timer timer_;
  Lifetime lifetime_;
};

}  // namespace leat
