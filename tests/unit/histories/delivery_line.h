// One pipeline of a delivery history: a source and a sink that are played, with the spool and the
// deliverer between, and the model of what was promised to them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "delivery/deliverer.h"
#include "histories/history.h"
#include "journal/journal.h"
#include "spool/spool.h"

namespace leat::testing {

// What all pipelines of an agent share.
struct Surroundings {
  Loop* loop;
  JournalClient* journal;
  std::string folder;  // a real one
  Milliseconds commit_every;
  std::function<void()> turn;  // everybody who has something to do does it
  std::function<void(const std::string&)> breaks;
  std::function<void(const std::function<std::string()>&)> says;
};

class DeliveryLine final : public Source, public Sink, SpoolOwner, DeliveryOwner {
 public:
  DeliveryLine(std::string name, Dice& dice, bool large);

  // From what the journal has; false when it does not answer with that.
  bool start(const Surroundings& around);
  // As a kill, or a pipeline that is let go at once. The sink may have what it has not answered.
  void end(Dice& dice);
  bool running() const { return deliverer_ != nullptr; }

  // The source gives a batch when it may; true when it did. `fresh`: also records not given before.
  bool give(Dice& dice, bool fresh);
  // The sink answers the oldest attempt; false when there is none.
  bool answer(Dice& dice, bool well);
  void stop_input() { spool_->end_of_input(true); }
  // As a pipeline ends that was stopped; then loop and journal have their turn.
  void end_input() { deliverer_->stop(); }
  void ended_well() {
    if (!acked_at_.empty()) surely_saved_ = acked_at_.back().second;
  }
  bool stopped() const { return spool_->settled(); }
  bool at_rest() const;

  // An fsync has failed in this run: from now on what is acknowledged must be delivered.
  void fsync_failed() { fsync_failed_ = true; }
  // Loop and journal have done what was due: what was acknowledged commitEvery ago is saved.
  void journal_had_its_turn();
  // For all that is known some of it may be gone.
  void positions_may_be_lost() { surely_saved_ = 0; }
  void check_totals();  // when it is at rest
  void check_all_is_there();
  bool survives_power_cut() const { return config_.spool.survives_power_cut; }
  uint64_t given() const { return next_; }
  uint64_t resumed_at() const { return resumed_at_; }
  uint64_t waiting() const { return spool_->records_waiting(); }
  bool replays() const { return replay_ == Replay::kFromPosition; }
  std::string about() const;

  // Source.
  Status open(SourceContext& /*context*/) override { return {}; }
  void resume() override {}
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  bool offsets_last() const override { return replays(); }
  std::string describe(const Position& /*position*/) override { return name_; }
  // Sink.
  Status open(SinkContext& /*context*/) override { return {}; }
  void deliver(const Delivery& delivery, Done done) override;
  void close(std::function<void()> closed) override { closed(); }

 private:
  void delivery_changed() override { spool_->check(); }
  void delivery_failed(const Error& /*error*/) override {}
  void reject_at_sink(const Batch& batch, size_t index, const Why& why) override;
  bool was_dead(const Batch& /*batch*/, size_t /*index*/) const override { return false; }
  Brought brought_by(const Batch& /*batch*/, size_t /*index*/) override { return {}; }
  bool more_waits() const override { return false; }
  void spool_changed() override {}
  void spool_failed(const Error& /*error*/) override {}
  std::string spool_format() override { return "lines"; }
  Result<Turn> adapt_spooled(BatchRef& /*batch*/, const std::string& /*format*/) override {
    return Turn::kDone;
  }

  struct Attempt {
    std::vector<std::string> records;
    Done done;
    std::string numbers(size_t name_length) const;
  };
  void took(const Attempt& attempt, const char* how);
  void took(const std::string& record);
  BatchRef make_batch(uint64_t first, uint64_t count);
  bool safe(uint64_t n) const { return delivered_.count(n) != 0 || gone_.count(n) != 0; }

  const std::string name_;
  const bool large_;
  DeliveryConfig config_;
  Replay replay_;
  int in_flight_;
  uint64_t window_;
  size_t text_size_;
  std::string text_;

  Surroundings around_{};
  Budget budget_{4 << 20};
  BlockPool pool_{budget_};
  std::unique_ptr<DeadLetterFile> letters_;
  std::unique_ptr<Acknowledgements> acknowledgements_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Deliverer> deliverer_;
  std::deque<Attempt> attempts_;

  // The model.
  uint64_t next_ = 0;                                  // the next record that was never given
  uint64_t sent_ = 0;                                  // the next to give in this run
  uint64_t acked_ = 0;                                 // all before it is acknowledged
  std::deque<std::pair<int64_t, uint64_t>> acked_at_;  // of this run
  uint64_t surely_saved_ = 0;
  std::set<uint64_t> delivered_;
  std::map<std::string, std::string> sent_under_;  // a key: the numbers of the records
  std::set<uint64_t> gone_;                        // rejected, or filtered
  std::set<uint64_t> filtered_;                    // each time that they are given
  std::set<uint64_t> lost_;  // given and not acknowledged by a source that cannot give them again
  uint64_t newest_ = 0;      // behind the newest that was delivered
  uint64_t dropped_ = 0;     // said by the runs that are over
  uint64_t ended_ = 0;       // runs that ended without coming to rest
  uint64_t resumed_at_ = 0;
  uint64_t taken_over_ = 0;  // records in the journal when this run began
  uint64_t given_ = 0;       // in this run
  bool fsync_failed_ = false;
};

}  // namespace leat::testing
