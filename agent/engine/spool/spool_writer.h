// Puts batches into the journal: several into one row when they come faster than the disk takes
// them, in order, again until it works, and within `maxSpool`.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifetime.h"
#include "base/log.h"
#include "delivery/acknowledgements.h"
#include "delivery/dead_letter_file.h"
#include "delivery/delivery_config.h"
#include "journal/journal.h"
#include "loop/handles.h"
#include "memory/budget.h"
#include "spool/brought.h"
#include "spool/spool_format.h"

namespace leat {

// A batch on its way into the journal.
struct Spooling {
  BatchRef batch;
  Owed owed;          // to its source, until it is in the journal, or delivered
  uint32_t skip = 0;  // records at its start that are delivered already
  bool held = false;  // the deliverer has it, too
  uint32_t records() const { return static_cast<uint32_t>(batch->count()) - skip; }
};

struct SpoolCounters {
  uint64_t spooled = 0;         // records
  uint64_t dropped_oldest = 0;  // records, for want of room
  uint64_t dropped_newest = 0;
};

struct SpoolWriterSetup {
  Loop& loop;
  std::string pipeline;
  const SpoolConfig& config;
  JournalClient& journal;
  Budget& budget;
  Acknowledgements& acknowledgements;
  DeadLetterFile& dead_letters;
  size_t row_bytes;     // what a row aims at
  Milliseconds linger;  // how long a row may wait for more
  Milliseconds quiet;   // and how long since the last batch; 0: that does not matter
};

class SpoolWriter {
 public:
  struct Row {
    uint64_t serial = 0;
    std::vector<Spooling> batches;  // all held, or none
    Owed owed;                      // by all of them
    bool held = false;              // the deliverer has it, too
    uint64_t first = 0;
    uint64_t records = 0;
    uint64_t dead_letters = 0;  // those that came before must be durable first
    size_t charged = 0;         // bytes of `content`, against the budget
    std::string content;
    std::string brought;    // SpooledAs::brought, beside `content`
    bool in_haste = false;  // it was full before it had lingered
    bool payload = false;   // else only where the source is goes into the journal
    bool under_way = false;
    uint64_t end() const { return first + records; }
  };

  // Whose rows these are.
  class Owner {
   public:
    virtual ~Owner() = default;
    // SpooledAs::format
    virtual std::string format() = 0;
    // Of the record that goes into a row now: once each.
    virtual Brought brought_by(const Batch& batch, size_t index) = 0;
    // Called in order, when a row (with all before it) is in the journal. It may be a row without
    // records. Its debts are the owner's to settle.
    virtual void stored(Row& row) = 0;
    // The journal has not taken a row.
    virtual void stuck() = 0;
    // The number from which rows may be dropped, since they are not on their way to the sink.
    // nullopt while that is about to change; resume() is called when it has.
    virtual std::optional<uint64_t> drop_from() = 0;
    // dropping() is over.
    virtual void dropped(uint64_t records) = 0;
  };

  SpoolWriter(SpoolWriterSetup setup, Owner& owner);
  ~SpoolWriter();

  // What the journal holds. Before anything else.
  void open(uint64_t next, uint64_t bytes);

  // SpoolWriterSetup::row_bytes, from now on.
  void set_row_bytes(size_t bytes);

  bool wants_more() const;
  void add(Spooling batch);
  // What has come so far waits for no more.
  void flush();
  // No row waits for more batches from now on.
  void end_of_input();
  bool idle() const { return pending_.empty() && rows_.empty(); }

  // While rows are being dropped none may be read: which of them are lost would be unknown.
  bool dropping() const { return dropping_; }
  // Something that rows may have waited for has changed: dead letters are durable, …
  void resume();

  // The first number that is not used yet; numbers may be left out while this is idle().
  void number_from(uint64_t next) { next_ = next; }
  // All records before this number are delivered: rows that are not under way need not be stored
  // any more.
  void delivered(uint64_t number);

  // While the journal takes nothing: the oldest row that the deliverer has not got; null otherwise.
  // Who gives it to the deliverer sets Row::held. It stays here until it is stored, or delivered.
  Row* stuck_row();
  // What there was no room for is delivered after all.
  void undo_drop(Row& row);
  // Nothing goes on before something else happens: the sink makes room, or the journal works again.
  bool held_up() const;

  // Rows up to `end` are not needed any more.
  void remove_until(uint64_t end);

  uint64_t bytes() const { return bytes_; }
  // Without those that the deliverer has, too.
  size_t records_waiting() const;
  const SpoolCounters& counters() const { return counters_; }

 private:
  void pump();
  bool may_begin();
  bool row_is_due() const;
  bool make_room(size_t bytes);
  void drop_newest();
  void drop_oldest(uint64_t bytes);
  void begin_row();
  void send_next();
  bool drop_delivered();
  void send(Row& row);
  void sent(const Result<uint64_t>& stored);
  void try_again_later(const Error& error);
  void say_full(const std::string& what);
  void say_undroppable();
  void say_filling();

  SpoolWriterSetup setup_;
  Owner& owner_;
  Timer linger_;
  Timer quiet_;
  Timer retry_;
  Timer remove_again_;
  std::deque<Spooling> pending_;
  size_t pending_bytes_ = 0;
  std::deque<Row> rows_;  // in order; the first may be under way
  uint64_t next_ = 0;     // number of the next record
  uint64_t delivered_ = 0;
  uint64_t bytes_ = 0;    // in the journal
  double packing_ = 1;    // bytes stored for each byte of content, of the last row
  uint64_t removed_ = 0;  // rows up to here are gone
  uint64_t remove_to_ = 0;
  bool removing_ = false;
  DoublingDelay remove_delay_{Milliseconds{1'000}, Milliseconds{60'000}};
  bool dropping_ = false;
  // Where dropping was to begin, and how much was stored, when there was nothing to drop: all of it
  // was on its way to the sink. It is not asked for again before one of them has changed.
  std::optional<std::pair<uint64_t, uint64_t>> undroppable_;
  bool ending_ = false;
  bool lingered_ = false;
  int failures_ = 0;
  uint64_t serial_ = 0;  // of the last row
  log::OnceAMinute said_full_;
  log::OnceAMinute said_failing_;
  int said_percent_ = 0;  // of maxSpool, last warned of
  SpoolCounters counters_;
  Lifetime lifetime_;
};

}  // namespace leat
