// Finds out where a task goes on: what the journal knows of its source and its spool, and with
// exactlyOnce what the sink knows, since that is where the records before it have come from. What
// an operator has ordered of these is carried out here, where nothing else has them.
//
// Thread: the pipeline's loop thread. Lifetime: may be destroyed at any time; it is then silent.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifetime.h"
#include "base/outage.h"
#include "base/result.h"
#include "base/units.h"
#include "delivery/delivery_config.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "net/retry_timer.h"
#include "stage/sink.h"
#include "stage/source.h"
#include "task/position_orders.h"

namespace leat {

struct ResumedFrom {
  std::vector<SavedPosition> saved;  // of the source
  std::vector<SavedPosition> noted;  // by it, when it is the sink that keeps positions
  SpoolState spool;
  uint64_t spool_delivered = 0;  // records of the spool before this number are delivered
  SpoolTotals spool_left;        // from there on
};

struct ResumeSetup {
  Loop& loop;
  std::string name;  // of the task in the journal
  const DeliveryConfig& config;
  const SourceType& source;
  Replay replay;
  Sink& sink;
  JournalClient& journal;
  Delivery& moved;  // of positions alone; is there until the sink is closed
};

class Resume {
 public:
  explicit Resume(const ResumeSetup& setup);

  // Calls `done` once. A sink that is away is asked again until it answers; `on_trouble` is called
  // when trouble() has become another.
  void start(std::function<void(Result<ResumedFrom>)> done, std::function<void()> on_trouble);
  // Why the sink cannot say it; "" when it can, or need not.
  const std::string& trouble() const { return outage_.reason(); }
  // Until the sink is asked again; nothing when that is not waited for.
  std::optional<Milliseconds> next_attempt_in() const { return retry_.left(); }
  // Asks it now.
  void kick();

 private:
  void begin();
  void drop_spooled(const std::string& to);
  void ask_sink();
  void sink_has_answered(Result<std::vector<SavedPosition>> saved);
  void follow_orders(std::vector<SavedPosition> positions);
  void reset(std::vector<SavedPosition> positions, CarriedOut done);
  void forget_orders(std::vector<SavedPosition> positions, std::vector<SavedPosition> moved);
  bool sink_keeps_all() const;
  void count_spooled(const std::vector<SavedPosition>& delivered);
  void finish(Result<ResumedFrom> result);

  const ResumeSetup setup_;
  Backoff backoff_;
  Outage outage_;
  RetryTimer retry_;
  ResumedFrom point_;
  std::vector<SavedPosition> orders_;  // of an operator (journal/orders.h)
  std::function<void(Result<ResumedFrom>)> done_;
  std::function<void()> on_trouble_;
  Lifetime lifetime_;
};

}  // namespace leat
