// What a source has emitted, on its way into the chain: the batches that wait, the credit for more,
// the limits, and what is counted of the input. One batch at a time is in the chain.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/units.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "record/batch.h"
#include "task/line_counter.h"
#include "task/rate_limit.h"

namespace leat {

class SourceQueue {
 public:
  // `limit` outlives this. `go_on` is called when it allows reading again.
  SourceQueue(Loop& loop, RateLimit& limit, std::function<void()> go_on);

  // --- credit ---
  bool has_room() const { return batches_.size() < most_ && !held_back(); }
  // So many, when that is more.
  void let_wait(size_t batches) { most_ = std::max(most_, batches); }
  // The limits allow no reading now.
  bool held_back() const { return hold_back_.active(); }
  void hold_back_no_more() { hold_back_.stop(); }
  // A batch that the source may emit, in the place of one that this reader was given before.
  BatchRef grant(size_t reader, BlockPool& pool, Content content);
  // The source was told to wait: it is to be resumed. True when it was not before.
  bool refuse() {
    if (!refused()) refused_since_ = loop_.now();
    return !std::exchange(refused_, true);
  }
  bool refused() const { return refused_; }
  void resumed() {
    waited_ = waited();
    refused_ = false;
  }

  // --- in ---
  // False for the first batch that was not granted. It is kept, since what was read is not thrown
  // away; but nothing keeps such batches within the memory.
  bool add(BatchRef batch);
  // Nothing more comes.
  void end() { ended_ = true; }
  bool ended() const { return ended_; }
  void progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total);

  // --- out ---
  bool empty() const { return batches_.empty(); }
  size_t size() const { return batches_.size(); }
  // Forgets what waits: it will be read again.
  void clear() { batches_.clear(); }
  // The next one, for the chain, which has read so many records before it.
  BatchRef take(uint64_t records);
  // The chain has taken a batch of somebody else (task/feed.h) instead.
  void other_taken(const Batch& batch, uint64_t records);
  // At the source, of what is in the chain; and of what comes next, 0 when that does not come from
  // here (Checkpoints::tick()).
  size_t bytes_taken() const { return taken_.source_bytes; }
  size_t bytes_next() const;
  // The chain is through with it; `end` is as it counted lines, and it has read so many records.
  // Says what the source could not make records of, each with the position behind it.
  using Reject = std::function<void(const Rejected& what, const Position& behind)>;
  void taken_ends(const Position& end, uint64_t records, const Reject& reject);

  // --- counted ---
  uint64_t bytes_read() const { return bytes_read_; }
  std::optional<uint64_t> bytes_total() const { return bytes_total_; }
  uint64_t rejected() const { return rejected_; }  // records, by the source
  uint64_t without_credit() const { return without_credit_; }
  // How long the source was told to wait, altogether.
  Milliseconds waited() const {
    return refused_ ? waited_ + (loop_.now() - refused_since_) : waited_;
  }
  std::optional<Milliseconds> since_read() const;
  std::optional<int64_t> oldest_arrival_us() const;

 private:
  // More would only hold memory: the chain is never slower to start than one turn of the loop.
  size_t most_ = 3;

  Loop& loop_;
  RateLimit& limit_;
  const std::function<void()> go_on_;
  // The source may emit these; by its readers, not to be looked into.
  std::vector<const Batch*> granted_;
  std::deque<BatchRef> batches_;
  bool refused_ = false;
  Milliseconds refused_since_{0};  // on the loop's clock
  Milliseconds waited_{0};
  bool ended_ = false;
  Timer hold_back_;
  struct Taken {
    BatchRef rejected;  // the batch, when it has any
    size_t source_bytes = 0;
    uint64_t records = 0;  // of those before it
  };
  Taken taken_;
  LineCounter lines_;
  uint64_t bytes_read_ = 0;
  std::optional<uint64_t> bytes_total_;
  uint64_t rejected_ = 0;
  uint64_t without_credit_ = 0;
  std::optional<Milliseconds> last_read_;  // on the loop's clock
};

}  // namespace leat
