// One running pipeline: source → ring → chain → deliverer → sink, on one loop.
//
// Thread: its loop's. Lifetime: make → start → (drain | abort) → finished called back → destroyed.
#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/dead_letter_file.h"
#include "delivery/deliverer.h"
#include "journal/journal.h"
#include "loop/handles.h"
#include "memory/ring.h"
#include "pipeline/journal_usage.h"
#include "plan/pipeline_config.h"
#include "plan/planner.h"
#include "spool/spool.h"
#include "stage/sink.h"
#include "stage/source.h"
#include "task/chain.h"

namespace leat {

struct PipelineEnvironment {
  uv_loop_t* loop;
  const Clock& clock;
  JournalClient& journal;
  JournalUsage& usage;
  std::string agent;  // its id
  std::string data_dir;
  size_t memory;  // this pipeline's share of the budget, bytes
  // Called on the loop when PipelineStatus::trouble has become another.
  std::function<void()> on_trouble = nullptr;
};

struct PipelineStatus {
  uint64_t bytes_read = 0;
  std::optional<uint64_t> bytes_total;
  uint64_t records = 0;  // read
  uint64_t delivered = 0;
  uint64_t filtered = 0;  // removed by transforms on purpose
  uint64_t dropped = 0;   // failed in a transform with onError = drop
  uint64_t dead_letters = 0;
  uint64_t retries = 0;
  uint64_t waiting = 0;        // read, not delivered yet
  uint64_t spooled = 0;        // of those read, went through the journal
  uint64_t spool_dropped = 0;  // of those spooled, for want of room
  size_t memory_peak = 0;      // bytes accounted
  std::string trouble;         // why the sink takes nothing now; "" when all is well
  uint64_t spool_bytes = 0;    // in the journal now, as stored
};

class Pipeline final : private SourceContext, private SinkContext {
 public:
  // Makes all stages; fails with kUsage when one cannot be made.
  static Result<std::unique_ptr<Pipeline>> make(const PipelineConfig& config,
                                                const PipelineEnvironment& environment);
  ~Pipeline() override;

  // Opens sink and source and begins to read. `finished` is called once, from the loop, when all
  // that was read is delivered (ok) or the pipeline has failed, and every handle is released.
  void start(std::function<void(Status)> finished);
  // Stops reading and delivers what is in flight.
  void drain();
  // Stops at once; what is not acknowledged will be read again after a restart. `why` begins the
  // error, which says what was left.
  void abort(const std::string& why);

  const std::string& name() const { return config_.name; }
  const PipelineConfig& config() const { return config_; }
  bool bounded() const;
  PipelineStatus status() const;

 private:
  enum class State { kStarting, kRunning, kDraining, kFinishing, kClosing, kDone };

  Pipeline(const PipelineConfig& config, const PipelineEnvironment& environment);
  Status build();
  void load_positions();
  Status adapt_spooled(BatchRef& batch, const std::string& form);
  std::string form();
  void load_from_sink(Milliseconds next_delay);
  void restore_spool(const std::vector<SavedPosition>& delivered);
  void open_source();

  void wake() { idle_.start(); }
  void work();
  void take(BatchRef batch);
  void run_a_turn();
  void end_batch(const BatchRef& last_piece);
  bool has_input() const { return queued_ > 0 || chain_->busy(); }
  bool has_room();
  const std::string& trouble() const;
  void tell_trouble();
  void give_credit();
  bool has_credit() const;
  void throttle(size_t bytes, uint64_t records);
  void finish_if_settled();
  std::string what_is_left() const;
  void fail_with(const Error& error);
  void close();
  void reject(const Rejection& rejection);

  // SourceContext and SinkContext.
  uv_loop_t* loop() override { return environment_.loop; }
  const Clock& clock() override { return environment_.clock; }
  const std::string& pipeline() override { return config_.name; }
  const std::string& agent() override { return environment_.agent; }
  bool exactly_once() override { return config_.delivery.exactly_once; }
  size_t batch_bytes() const override { return batch_bytes_; }
  const Framing* framing() override { return chain_->framing(); }
  bool takes_empty() override {
    return config_.source.format == nullptr || config_.source.format->takes_empty;
  }
  bool needs_preamble() override { return chain_->needs_preamble(); }
  const std::vector<SavedPosition>& saved() override { return saved_; }
  BatchRef new_batch(Content content) override;
  void emit(BatchRef batch) override;
  void finished(Status status) override;
  void window_full(bool full) override;
  void save(SavedPosition what, std::function<void(Status)> done) override;
  void note(std::vector<SavedPosition> what, std::function<void(Status)> done) override;
  const std::vector<SavedPosition>& noted() override { return noted_; }
  void progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) override;
  Budget& budget() override { return budget_; }  // of both
  Enclosure enclosure() override { return config_.sink.format->enclosure(chain_->encoder()); }
  const WriteFormat* format() override { return config_.sink.format; }

  const PipelineConfig config_;
  PipelineEnvironment environment_;
  const size_t batch_bytes_;
  Budget budget_;
  BlockPool pool_;  // outlives every batch below
  std::unique_ptr<Source> source_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<Chain> chain_;
  Charge chain_charge_{budget_};  // Chain::held()
  std::unique_ptr<DeadLetterFile> dead_letter_file_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Deliverer> deliverer_;  // after the spool, which it acknowledges to
  SpoolState spooled_;                    // as found at the start
  Ring<BatchRef> ring_;
  size_t queued_ = 0;  // in the ring
  Idle idle_;
  Timer throttle_;
  Timer retry_;

  State state_ = State::kStarting;
  bool refused_ = false;      // the source was told to wait
  bool input_ended_ = false;  // the source will emit nothing more
  bool flushed_ = false;      // the deliverer was told of the end
  bool source_open_ = false;
  bool sink_open_ = false;
  int closing_ = 0;  // close callbacks awaited
  Status result_;
  std::map<uint32_t, uint64_t> lines_;  // by partition: lines given to the chain so far
  struct Taken {
    BatchRef rejected;  // the batch, when it has any
    uint64_t begin_line = 0;
    size_t source_bytes = 0;
    uint64_t records = 0;  // of those before it
  };
  Taken taken_;        // the batch that is in the chain
  double growth_ = 0;  // of late, what a turn needed for each byte of its batch at the source
  std::vector<SavedPosition> saved_;
  std::vector<SavedPosition> noted_;
  std::string start_trouble_;  // why the sink cannot say where to resume
  std::string told_trouble_;
  std::function<void(Status)> on_finished_;
  uint64_t bytes_read_ = 0;
  std::optional<uint64_t> bytes_total_;
  uint64_t dead_letters_ = 0;
  int64_t last_dead_letter_log_us_ = 0;
  int64_t not_before_us_ = 0;  // monotonic; the limits allow no reading before
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace leat
