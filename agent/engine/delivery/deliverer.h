// Brings batches to the sink: collects them into deliveries, keeps a few in flight, tries again,
// isolates bad records, and settles what the batches owe.
//
// A delivery takes one of `in_flight` slots from its first attempt until its position is in the
// journal (or, with exactlyOnce, in the sink), so what a kill can duplicate is what those slots
// hold; and what was delivered since positions were saved last, where they may be saved late
// (Acknowledgements).
//
// Thread: the pipeline's loop thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lifetime.h"
#include "delivery/acknowledgements.h"
#include "delivery/cuts.h"
#include "delivery/dead_letter_file.h"
#include "delivery/delivery_config.h"
#include "delivery/delivery_range.h"
#include "delivery/latencies.h"
#include "delivery/linger.h"
#include "delivery/retry_policy.h"
#include "loop/handles.h"
#include "net/retry_timer.h"
#include "stage/sink.h"

namespace leat {

struct DeliveryCounters {
  uint64_t delivered = 0;  // records
  uint64_t dead = 0;       // records the sink rejected for good
  uint64_t attempts = 0;   // deliveries tried
  uint64_t retries = 0;    // of them, answered with "not now"
  Latencies latencies;     // of `delivered`
};

// Whose deliverer it is.
class DeliveryOwner {
 public:
  virtual ~DeliveryOwner() = default;

  // settled() or wants_more() may have become true. Comes from the loop, not from inside add().
  virtual void delivery_changed() = 0;
  // The sink said that it cannot go on. Nothing more is sent.
  virtual void delivery_failed(const Error& error) = 0;
  // Writes record `index` of the batch as a dead letter of the sink.
  virtual void reject_at_sink(const Batch& batch, size_t index, const Why& why) = 0;
  // The record was a dead letter before, and is tried once more.
  virtual bool was_dead(const Batch& batch, size_t index) const = 0;
  // True while more of the input is here, and on its way: then an idle sink, too, is kept waiting
  // for fuller deliveries. Asked again from time to time.
  virtual bool more_waits() const = 0;
};

struct DelivererSetup {
  Loop& loop;
  std::string agent;  // its id, so that keys of two agents never meet
  std::string pipeline;
  BatchLimits limits;
  int in_flight = 1;
  const DeliveryConfig& config;
  Sink& sink;
  Acknowledgements& acknowledgements;
  DeadLetterFile& dead_letters;
  DeliveryOwner& owner;
  bool comes_again = true;  // the source gives again what it was not acknowledged
  std::string cuts;  // path of the file they are noted in, for a sink with keys; "": they are not
  // Bytes (as bytes_of() says) that may be collected and in flight before no more is wanted.
  size_t most_held = SIZE_MAX;
};

class Deliverer {
 public:
  explicit Deliverer(DelivererSetup setup);
  ~Deliverer();

  // DelivererSetup::most_held, from now on.
  void set_most_held(size_t bytes) { setup_.most_held = bytes; }

  // Before the first add(): the spool has records [first, end) of the saved name `partition`. The
  // number from which on none was ever noted (Cuts).
  uint64_t spool_holds(const std::string& partition, uint64_t first, uint64_t end);
  // What was tried goes into the spool now, under the numbers that it is owed by.
  void note_spooled();

  // False while enough is waiting: the chain then stops, and with it the source.
  bool wants_more() const;
  // Takes slices or records, in order, with what they owe. An empty batch owes something, too.
  void add(BatchRef batch);
  // Memory is short: when nothing is in flight that would free some, sends what is collected.
  void hurry();
  // The source waits for an acknowledgement: what is collected goes out without lingering as soon
  // as the sink is free to take it.
  void flush();
  // No more batches will come: what is collected goes out without lingering.
  void end_of_input();
  // The agent is to end. Calls delivery_changed() when silent() has become true.
  void drain();
  // While draining: the sink has answered nothing for kAnswerWithin, or all of it lasts longer than
  // kDrainWithin. Who can leave what is in flight should.
  bool silent() const { return silent_; }
  static constexpr Milliseconds kAnswerWithin{3'000};
  static constexpr Milliseconds kDrainWithin{10'000};
  // Tries the sink now, when it is not to be tried before a while has passed.
  void kick();
  // It gives the sink nothing from now on, for this reason, until it is told "": as a sink in
  // trouble, which none of the attempts under way ends.
  void hold(const std::string& why);
  // Nothing gets through now: it is held, or the sink is in trouble.
  bool in_trouble() const { return !held_.empty() || retry_policy_.active(); }
  // Why; "" when it is not.
  const std::string& trouble() const { return held_.empty() ? retry_policy_.reason() : held_; }
  // The sink is about to be closed: it is given nothing more, whatever waits. What is in flight may
  // still be answered.
  void stop();

  // True when nothing is collected, in flight, or waiting for the journal.
  bool settled() const;

  const DeliveryCounters& counters() const { return counters_; }
  const RetryPolicy& retry_policy() const { return retry_policy_; }
  size_t records_waiting() const;
  // Until the sink is tried again; nothing when that is not waited for.
  std::optional<Milliseconds> next_attempt_in() const;
  // Batch::arrival_us of the oldest record that is here; nothing when none is.
  std::optional<int64_t> oldest_arrival_us() const;

 private:
  struct Item;
  size_t bytes_held() const;
  size_t slots() const;

  void collect(const BatchRef& batch, size_t first, size_t count, Owed owed);
  bool full() const;
  void start_lingering();
  size_t until_former_cut(const Batch& batch, size_t first, size_t count);
  void cut();
  bool idle() const;
  void cut_if_idle();
  void note_cut(Item& item);
  bool was_dead(const Piece& piece) const;
  Cuts::Spooled spooled_of(const Item& item) const;
  uint64_t first_unsaved(uint64_t next);
  void pump();
  void pump_and_tell();
  bool may_be_sent(const Item& item) const;
  void send(Item& item);
  void prepare(Item& item);
  void answered(Item& item, Answer answer);
  void cut_off(Item& item, Answer answer);
  void cut_off_again(Item& item, const Answer& answer);
  void refused(Item& item, const Answer& answer);
  void set_aside(Item& item, const Answer& answer);
  bool may_go_on();
  void nothing_gets_through(const std::string& reason);
  void wait_for_others(Answer answer, int attempt);
  void put_back(Item& item);
  void convict();
  void rejected(Item& item, const Answer& answer);
  void rejected_at_first(Item& item, const Answer& answer);
  void found_bad(size_t good_before);
  void found_good(size_t records);
  void reject(Item& item, const Delivery& delivery, size_t index, const Why& why);
  void note_latencies(const Delivery& delivery);
  void works();
  void not_now(const Answer& answer, std::string_view what_follows = {});
  void pause(Milliseconds wait, Milliseconds at_least);
  void wait_for_answer();
  bool settle();
  void give_back(size_t slots);

  DelivererSetup setup_;
  const std::string run_;  // unlike that of any other deliverer
  Cuts cuts_;
  RetryPolicy retry_policy_;
  Linger linger_;
  RetryTimer retry_;
  bool paused_ = false;   // waiting for retry_
  std::string held_;      // why; "" when it is not
  int busy_ = 0;          // attempts under way at the sink
  bool stopped_ = false;  // by stop(), or since the sink cannot go on
  std::optional<Milliseconds> drain_until_;
  Timer answer_timer_;  // while draining
  bool silent_ = false;
  // While bad records come one by one (the sink does not name all of them at once): pieces have at
  // most so many records, half of what lay between the last two, so that little is sent in vain.
  // 0: no limit.
  size_t piece_limit_ = 0;
  size_t since_bad_ = 0;
  size_t blamed_ = 0;       // without that another record got through since
  bool releasing_ = false;  // slots wait for what they settled to be saved

  // What is settled, and not known to be saved, where cuts are noted.
  struct Settled {
    uint64_t release;  // Acknowledgements::releases()
    uint64_t first;    // delivery
  };
  std::deque<Settled> unsaved_;
  std::optional<Cuts::Former> former_;  // was cut before the restart where the next is

  Piece collected_;
  Owed collected_owed_;  // by batches that ended up empty
  bool collected_any_ = false;
  std::deque<std::unique_ptr<Item>> items_;  // in source order; the front is the oldest
  DeliveryCounters counters_;
  Lifetime lifetime_;
};

}  // namespace leat
