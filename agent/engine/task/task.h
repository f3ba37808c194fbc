// The data path on one loop: source → chain → spool → deliverer → sink.
//
// A batch that the source emits waits in a short queue; the chain takes it apart in turns, one each
// time round the loop, and gives what the sink takes to the spool, which hands it to the deliverer
// or to the journal. Credit goes the other way: a source gets an empty batch when queue, memory and
// limits allow one.
//
// Thread: its loop's. Lifetime: make → (open) → start → (drain | abort) → finished called back →
// destroyed; or, not to be started, make → open → discard → done called back → destroyed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lifetime.h"
#include "delivery/acknowledgements.h"
#include "delivery/deliverer.h"
#include "journal/journal.h"
#include "journal/journal_usage.h"
#include "loop/handles.h"
#include "plan/pipeline_config.h"
#include "plan/planner.h"
#include "spool/spool.h"
#include "stage/sink.h"
#include "stage/source.h"
#include "task/chain.h"
#include "task/checkpoints.h"
#include "task/dead_letter_writer.h"
#include "task/feed.h"
#include "task/lifecycle.h"
#include "task/parallel.h"
#include "task/rate_limit.h"
#include "task/resume.h"
#include "task/source_and_sink.h"
#include "task/source_queue.h"
#include "task/tap.h"
#include "task/task_status.h"
#include "task/turn_cost.h"

namespace leat {

// What a task has from its pipeline. All of it outlives the task.
struct TaskSetup {
  const PipelineConfig& config;
  TaskPlan plan;
  Loop& loop;
  JournalClient& journal;
  JournalUsage& usage;
  const std::string& agent;  // its id
  const std::string& data_dir;
  size_t memory;  // its share of the pipeline's at the start
  Budget& budget;
  RateLimit& limit;
  DeadLetterWriter& dead_letters;
  // Asked at the end of the input, when all is delivered. True: the sink is to be told of the end.
  std::function<Result<bool>()> verdict;
  std::function<void()> on_trouble;  // trouble(), or the circuit, is another; may be null
  AskAgent ask_agent = nullptr;
  HearAgent hear_agent = nullptr;
  Channels* channels = nullptr;
  Caches* caches = nullptr;
  uint64_t fence = 0;
  SinkLane lane = {};
  int further_loops = 0;  // that its transforms may run on
  // It is known where it goes on, and its source is open: those that join it may begin.
  std::function<void(const ResumedFrom&)> resumed = nullptr;
};

class Task final : private SourceContext,
                   private SinkContext,
                   private CodecContext,
                   private FeedHost,
                   private SpoolOwner,
                   private DeliveryOwner {
 public:
  // Makes all stages; fails with kUsage when one cannot be made.
  // `source`: a lane of another task's (TaskPlan::joins).
  static Result<std::unique_ptr<Task>> make(TaskSetup setup,
                                            std::unique_ptr<Source> source = nullptr);
  std::unique_ptr<Source> source_lane() { return stages_.source().lane(); }

  // Opens the sink ahead of start(). After an error, discard() is called.
  Status open();
  void discard(std::function<void()> done);
  // Opens the sink, when that has not been done, and the source, and begins to read. `finished` is
  // called once, from the loop, when all that was read is delivered (ok) or the task has failed,
  // and every handle is released.
  void start(std::function<void(Status)> finished);
  // One that joins another (TaskPlan::joins) does that in join(), when that one has found out where
  // they go on. `finished` may be called before.
  void join(const ResumedFrom& point);
  // Stops reading and delivers what is in flight; what can be read again, or is journaled, only as
  // long as the sink answers (Deliverer::silent()).
  void drain();
  // Stops at once; what is not acknowledged will be read again after a restart. `why` begins the
  // error, which says what was left.
  void abort(const std::string& why);
  // From now on, its share of the pipeline's memory is this.
  void set_memory(size_t bytes);
  // Tries the sink now, when it is not to be tried before a while has passed.
  void kick();
  // The sink is given nothing, for this reason, until it is told ""; at any time.
  void hold(const std::string& why);
  // Shows records behind a stage, until untap(), or its end. `id` is the caller's. kUsage when it
  // cannot be.
  Status tap(uint64_t id, const TapRequest& request, std::shared_ptr<TapLines> lines);
  void untap(uint64_t id);
  // Gives it records of somebody else, too, while it runs, or as soon as it has started. kUsage
  // when it does not run, or another feed is not over. When it ends before, `make` only goes.
  Status feed(const MakeFeed& make);
  // There may be room in memory again.
  void wake() override { idle_.start(); }

  TaskStatus status() const;
  SourceTasks source_tasks() const { return stages_.source().tasks(); }
  std::optional<uint64_t> task_changes() const { return stages_.source().task_changes(); }
  bool has_read() const { return queue_.since_read().has_value(); }

 private:
  explicit Task(TaskSetup setup);
  Status build(std::unique_ptr<Source> source);
  void make_spool();
  void make_deliverer();
  void resume_at(ResumedFrom point);

  void work();
  void run_a_turn();
  void begin_feed(const MakeFeed& make);
  void take_from_feed();
  bool feeds() const { return feed_ != nullptr && !feed_->over(); }
  void end_batch(const Position& end);
  void take_tick();
  bool has_input() const {
    return !queue_.empty() || chain_->busy() || checkpoints_.has_turn() || !all_is_here();
  }
  bool has_turn() const;
  // Other loops have nothing of it.
  bool all_is_here() const { return parallel() == nullptr || parallel()->empty(); }
  // Something that they had goes on next.
  bool comes_back() const {
    return chain_->taking_back() || (parallel() != nullptr && parallel()->ready());
  }
  // Null: none of its transforms runs elsewhere.
  Parallel* parallel() const;
  void make_parallel(const Plan& plan, std::vector<ParallelRun> runs);
  void see_load();
  // The sink would take more, and other loops have it.
  bool waits_for_transforms() const;
  bool take_what_is_back();
  bool has_room();
  bool has_credit() const;
  void give_credit();
  void reject(Rejection rejection);
  const std::string& trouble() const;
  void tell_trouble();
  std::optional<Milliseconds> oldest_waits_for() const;
  std::vector<StageStatus> stages() const;
  JournalClient::Durability durability_of(Survives survives) const;

  void finish_if_settled();
  std::string what_is_left() const;
  void fail_with(const Error& error);
  void close();

  // FeedHost.
  const PipelineConfig& config() const override { return setup_.config; }
  BlockPool& pool() override { return pool_; }
  std::vector<std::string> steps() const override { return chain_->stages(); }

  // SourceContext, SinkContext, CodecContext and FeedHost.
  Loop& loop() override { return setup_.loop; }
  const std::string& pipeline() override { return setup_.config.name; }
  const std::string& agent() override { return setup_.agent; }
  bool exactly_once() override { return setup_.config.delivery.exactly_once; }
  size_t batch_bytes() const override { return batch_bytes_; }
  const Framing* framing() override { return chain_->framing(); }
  bool takes_empty() override {
    const ReadFormat* format = setup_.config.source.format;
    return format == nullptr || format->takes_empty;
  }
  bool needs_preamble() override { return chain_->needs_preamble(); }
  bool passes_rows() override { return rows_pass(setup_.config); }
  StageShare share() override {
    return setup_.config.share == nullptr ? StageShare{} : *setup_.config.share;
  }
  const std::vector<SavedPosition>& saved() override { return point_.saved; }
  const std::vector<SavedPosition>& noted() override { return point_.noted; }
  BatchRef new_batch_for(size_t reader, Content content) override;
  void emit(BatchRef batch) override;
  void finished(Status status) override;
  void in_flight_full(bool full, Milliseconds patience) override {
    spool_->in_flight_full(full, patience);
    checkpoints_.in_flight_full(full);
  }
  void save(SavedPosition what, std::function<void(Status)> done) override;
  void note(std::vector<SavedPosition> what, Survives survives,
            std::function<void(Status)> done) override;
  void progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) override {
    queue_.progress(bytes_done, bytes_total);
  }
  void ask_agent(std::function<void(const AgentNumbers&)> done) override {
    if (setup_.ask_agent) setup_.ask_agent(std::move(done));
  }
  void hear_agent(HearEvent heard) override {
    if (setup_.hear_agent) setup_.hear_agent(std::move(heard));
  }
  Channels* channels() override { return setup_.channels; }
  Caches* caches() override { return setup_.caches; }
  void go_on() override;
  Budget& budget() override { return setup_.budget; }  // of all three
  DocumentWrap wrap() override { return setup_.config.sink.format->wrap(chain_->encoder()); }
  const WriteFormat* format() override { return setup_.config.sink.written(); }
  Result<std::unique_ptr<Encoder>> new_encoder() override;
  SinkLane lane() override { return setup_.lane; }
  uint64_t fence() override { return setup_.fence; }
  bool began_anew() override { return point_.saved.empty() && point_.noted.empty(); }

  // SpoolOwner and DeliveryOwner.
  void spool_changed() override { wake(); }
  void delivery_changed() override { wake(); }
  void spool_failed(const Error& error) override { fail_with(error); }
  void delivery_failed(const Error& error) override { fail_with(error); }
  std::string spool_format() override;
  Result<Turn> adapt_spooled(BatchRef& batch, const std::string& format) override;
  Brought brought_by(const Batch& batch, size_t index) override;
  void reject_at_sink(const Batch& batch, size_t index, const Why& why) override;
  bool was_dead(const Batch& batch, size_t index) const override {
    return batch.acknowledger->gives_dead_letters() ||
           spool_->brought_with(batch, index).was_dead();
  }
  bool more_waits() const override { return has_input() || spool_->is_read(); }

  const TaskSetup setup_;
  const Replay replay_;  // of the source
  size_t batch_bytes_;
  BlockPool pool_;                     // outlives every batch below
  Acknowledgements acknowledgements_;  // and so does this
  SourceAndSink stages_;
  std::unique_ptr<Feed> feed_;
  // They are over, but the deliverer may have records of theirs that are in the journal, too.
  std::vector<std::unique_ptr<Feed>> former_feeds_;
  MakeFeed first_feed_;    // while starting
  bool fed_last_ = false;  // what the chain had last came from there
  Taps taps_;
  Checkpoints checkpoints_;
  std::unique_ptr<Chain> chain_;
  TurnCost cost_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Deliverer> deliverer_;
#ifdef LEAT_PARALLEL
  std::unique_ptr<Parallel> parallel_;
#endif
  bool flushed_ = false;            // the deliverer was told of the end
  Delivery moved_;                  // ResumeSetup::moved
  std::unique_ptr<Resume> resume_;  // while starting
  ResumedFrom point_;               // where that was, later
  SourceQueue queue_;
  Idle idle_;
  Timer done_;
  Lifecycle life_;
  std::string told_trouble_;
  bool told_open_ = false;  // the circuit
  std::function<void(Status)> on_finished_;
  uint64_t dead_letters_ = 0;
  Lifetime lifetime_;
};

#ifdef LEAT_PARALLEL
inline Parallel* Task::parallel() const {
  return parallel_.get();
}
#else
inline Parallel* Task::parallel() const {
  return nullptr;
}
#endif

}  // namespace leat
