// Stands between the chain and the deliverer, and decides for each batch whether it waits in memory
// for its delivery or goes to the journal first (engine/delivery/README.md).
//
// In healthy operation with spool `onTrouble` every batch goes straight to the deliverer, and no
// payload is written. Trouble is: the sink is retrying or its circuit is open; an acknowledgement
// has been held for longer than `maxAckHold`; the source's window has been full for a while; a
// source that cannot give records again has no credit for as long. Then what the deliverer holds is
// journaled and acknowledged, what comes is journaled behind it, and
// the deliverer is fed from the journal, in order, until that is empty.
//
// What a batch owes its source, the spool takes over where it may have to journal the batch: it is
// settled when the batch is in the journal, or delivered, whichever comes first. In its stead the
// batch owes to the spool, which numbers the records it gives to the deliverer; how far those are
// delivered is what is saved of a spool.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/lifetime.h"
#include "delivery/acknowledgements.h"
#include "delivery/deliverer.h"
#include "journal/journal.h"
#include "loop/handles.h"
#include "spool/fill_rate.h"
#include "spool/spool_writer.h"
#include "stage/source.h"

namespace leat {

// How long a row of the journal waits for more batches: each row costs a commit, and an fsync.
struct SpoolLinger {
  // Whatever the sink's `linger`: what it holds would be lost with the machine.
  Milliseconds longest{1'000};
  // Where a source waits for the acknowledgement: less, and not while nothing more comes. A full
  // window ends it at once.
  Milliseconds held{250};
  Milliseconds held_quiet{50};
};

// Whose spool it is.
class SpoolOwner {
 public:
  virtual ~SpoolOwner() = default;

  // wants_more() or settled() may have become true.
  virtual void spool_changed() = 0;
  // What is in the journal cannot be made what the sink takes: it stays there, and nothing goes to
  // the deliverer any more.
  virtual void spool_failed(const Error& error) = 0;
  // Of slices as the sink takes them now.
  virtual std::string spool_format() = 0;
  // Makes of a batch that was spooled in `format` what the sink takes now; what cannot be becomes
  // dead letters. After an error the batch is spoilt.
  virtual Result<Turn> adapt_spooled(BatchRef& batch, const std::string& format) = 0;
  // As whoever gave this record knows it now.
  virtual Brought brought_by(const Batch& batch, size_t index) = 0;
};

struct SpoolSetup {
  Loop& loop;
  std::string pipeline;
  const DeliveryConfig& config;
  Replay replay;  // of the source
  Acknowledgements& acknowledgements;
  DeadLetterFile& dead_letters;
  JournalClient& journal;
  SpoolOwner& owner;
  BlockPool& pool;
  size_t batch_bytes;   // what a row of the journal aims at
  Milliseconds linger;  // of the sink's batches
  SpoolLinger row_linger = {};
};

class Spool final : public Acknowledger, private SpoolWriter::Owner {
 public:
  explicit Spool(SpoolSetup setup);
  ~Spool() override;

  void attach(Deliverer& deliverer) { deliverer_ = &deliverer; }
  // SpoolSetup::batch_bytes, from now on.
  void set_batch_bytes(size_t bytes);
  // What the journal holds, the number up to which it is delivered, and what there is from there
  // on. Before the first add().
  void restore(const SpoolState& state, uint64_t delivered, const SpoolTotals& totals);
  // The partition under which the number of the last delivered record is saved.
  static std::string partition(const std::string& epoch) { return "spool:" + epoch; }

  // What comes goes to the journal first, though it need not always.
  bool in_use() const { return active_ && mode() == SpoolMode::kOnTrouble; }
  bool wants_more() const;
  // What is in the journal is on its way to the deliverer.
  bool is_read() const { return reading_; }
  // Nothing is held in memory here, or behind it, that goes away by itself: waiting for memory
  // would be in vain.
  bool holds_nothing() const;
  void add(BatchRef batch);
  // SourceContext::in_flight_full()
  void in_flight_full(bool full, Milliseconds patience);
  // The source reads nothing more for want of credit, and what it does not read is lost, or will
  // be: soon that is trouble, too. Only for one that cannot give records again.
  void source_waits(bool waits);
  // What is held in memory by such a source goes to the journal, with what the deliverer has not
  // taken yet: nothing that may fail or be long in coming must decide whether it is lost.
  void make_safe();
  // Something has changed at the deliverer, or there is room in memory again.
  void check();

  // The source gives nothing more. `leaving`: the agent is to end, so what is in the journal stays
  // there; otherwise all of it is delivered first.
  void end_of_input(bool leaving);
  // True when nothing is left to do after end_of_input().
  bool settled() const;
  // True when all that was accepted is delivered or in the journal.
  bool all_safe() const;
  // The agent, which is to end, may leave what the source has read further: it comes again, and
  // goes nowhere now, or not soon, or only as there is room in memory.
  bool may_leave_rest(bool has_room = true) const;
  // The journal can take nothing more before the sink does, or before it works again.
  bool held_up() const { return writer_.held_up(); }
  // The source gives again what it was not acknowledged.
  bool comes_again() const { return setup_.replay != Replay::kNone; }

  const SpoolCounters& counters() const { return writer_.counters(); }
  // Records that waited in the journal, and that it cannot give any more.
  uint64_t lost() const { return lost_; }
  // Records that are accepted and not delivered: in memory, and in the journal.
  uint64_t records_waiting() const;
  // Those of them that are only in memory.
  uint64_t records_unsafe() const;
  // What the journal holds of it now, as stored.
  uint64_t bytes() const { return writer_.bytes(); }
  // When that reaches `maxSpool` if it goes on like this; nothing when it does not grow.
  std::optional<Milliseconds> full_in() const;

  // What is kept of a record that whoever gave it may have forgotten, since it is in the journal.
  Brought brought_with(const Batch& batch, size_t index) const;
  // Of the record that ends there, and has a number here.
  Brought brought_at(const Position& behind) const;

  // Acknowledger, of what has a number here.
  void released(const Position& position) override;
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  bool offsets_last() const override { return true; }
  std::string describe(const Position& position) override;

 private:
  // A batch that the deliverer has, and the journal has not; its records' numbers.
  struct Held {
    BatchRef batch;
    Owed owed;  // to its source, for what is not delivered
    uint64_t first;
    int64_t since_us;
    uint32_t done = 0;  // records delivered
    uint64_t end() const { return first + batch->count(); }
  };

  SpoolMode mode() const { return setup_.config.spool.mode; }
  bool trouble() const;
  std::optional<int64_t> pressed_from_us() const;
  bool caught_up() const { return cursor_ >= stored_; }
  bool stays_in_journal() const;
  bool is_stuck() const;
  void direct(BatchRef batch);
  void enter();
  void leave_if_over();
  void watch_ages();
  void without_spool();
  void feed();
  void fed(const SpoolRow& row);
  void cannot_read(const Error& error);
  void fail_with(const Error& error);
  void count_rest_as_lost();
  void pass(const SpoolRow& row);
  Owed number(uint64_t first, uint64_t end);
  void hand_over(BatchRef batch, std::string origin, uint64_t first, uint64_t end);
  void done_until(uint64_t number);
  void keep(std::string brought, uint64_t first, uint64_t end, std::vector<Spooling> held = {});
  void forget_brought(uint64_t end);

  // SpoolWriter::Owner.
  std::string format() override { return setup_.owner.spool_format(); }
  Brought brought_by(const Batch& batch, size_t index) override {
    return setup_.owner.brought_by(batch, index);
  }
  void stored(SpoolWriter::Row& row) override;
  void stuck() override;
  std::optional<uint64_t> drop_from() override;
  void dropped(uint64_t records) override;

  SpoolSetup setup_;
  Deliverer* deliverer_ = nullptr;
  SpoolWriter writer_;
  FillRate fill_rate_;
  std::deque<Held> held_;
  Timer age_timer_;
  Timer read_again_;
  log::OnceAMinute said_unreadable_;
  std::string epoch_;
  bool active_ = false;  // what comes goes to the journal first
  bool reading_ = false;
  bool failed_ = false;
  bool ending_ = false;
  bool leaving_ = false;
  int64_t in_flight_full_since_us_ = 0;  // 0: it is not
  Milliseconds patience_{0};             // of a full window
  // The source has waited for credit again and again, or all the time.
  struct {
    bool now = false;
    int64_t since_us = 0;
    int64_t last_us = 0;
  } source_waits_;
  uint64_t stored_ = 0;     // all before this number is in the journal, or was
  uint64_t cursor_ = 0;     // all before this number was given to the deliverer, or is lost
  uint64_t given_ = 0;      // behind the last that was given
  uint64_t new_from_ = 0;   // numbers before this one were given before the start
  uint64_t delivered_ = 0;  // and that is saved
  uint64_t unread_ = 0;     // records in the journal from cursor_ on; not all numbers are there
  uint64_t lost_ = 0;
  struct Handed {
    uint64_t first, end;
    std::string origin;
  };
  std::deque<Handed> handed_;  // in the journal, and with the deliverer
  // What records of these brought, until they are delivered.
  struct Kept {
    uint64_t first, end;
    std::string brought;
    std::vector<Spooling> held;  // the deliverer has them under the numbers of their source
  };
  std::deque<Kept> kept_;
  Charge kept_bytes_;
  Lifetime lifetime_;
};

}  // namespace leat
