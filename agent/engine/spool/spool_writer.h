// Puts batches into the journal: several into one row when they come faster than the disk takes
// them, in order, again until it works, and within `maxSpool`.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <uv.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "delivery/dead_letter_file.h"
#include "delivery/delivery_config.h"
#include "journal/journal.h"
#include "loop/handles.h"
#include "memory/budget.h"
#include "spool/spool_format.h"
#include "stage/source.h"

namespace leat {

// A batch on its way into the journal.
struct Spooling {
  BatchRef batch;
  uint32_t skip = 0;  // records at its start that are delivered already
  bool held = false;  // the deliverer has it, too, under the source's own positions
  uint32_t records() const { return static_cast<uint32_t>(batch->count()) - skip; }
};

struct SpoolCounters {
  uint64_t spooled = 0;         // records
  uint64_t dropped_oldest = 0;  // records, for want of room
  uint64_t dropped_newest = 0;
};

struct SpoolWriterSetup {
  uv_loop_t* loop;
  const Clock& clock;
  std::string pipeline;
  const SpoolConfig& config;
  JournalClient& journal;
  Budget& budget;
  Source& source;
  DeadLetterFile& dead_letters;
  size_t row_bytes;                   // what a row aims at
  Milliseconds linger;                // how long a row may wait for more
  Milliseconds quiet;                 // and how long since the last batch; 0: that does not matter
  std::function<std::string()> form;  // SpooledAs::form
};

class SpoolWriter {
 public:
  struct Row {
    uint64_t serial = 0;
    std::vector<Spooling> batches;  // all held, or none
    uint64_t first = 0;
    uint64_t records = 0;
    uint64_t dead_letters = 0;  // those that came before must be durable, too
    size_t charged = 0;         // bytes of `content`, against the budget
    std::string content;
    std::vector<Position> reached;  // by the source, with this row
    enum class State { kWaiting, kUnderWay, kStored } state = State::kWaiting;
    uint64_t end() const { return first + records; }
  };

  explicit SpoolWriter(SpoolWriterSetup setup);
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

  // Called in order, when a row (with all before it) is safe. It may be a row without records.
  void on_stored(std::function<void(Row&)> listener) { on_stored_ = std::move(listener); }
  // Called when stuck() has become true.
  void on_stuck(std::function<void()> listener) { on_stuck_ = std::move(listener); }
  // Asked for the number from which rows may be dropped, since they are not on their way to the
  // sink. nullopt while that is about to change; resume() is called when it has.
  void drop_from(std::function<std::optional<uint64_t>()> place) { drop_from_ = std::move(place); }
  // While rows are being dropped none may be read: which of them are lost would be unknown.
  bool dropping() const { return dropping_; }
  // Called when dropping() is over, with the number of records that were dropped.
  void on_dropped(std::function<void(uint64_t)> listener) { on_dropped_ = std::move(listener); }
  // No row is sent as long as this says so; resume() is called when it may have changed.
  void wait_while(std::function<bool()> waits) { waits_ = std::move(waits); }
  void resume();

  // Dead letters have become durable: hands on the rows that waited for that.
  void settle();

  // The journal cannot take the oldest row. Its batches, for delivery without the spool; the row is
  // forgotten. Empty while all goes well.
  bool stuck() const;
  Row take_stuck();
  // Nothing goes on before something else happens: the sink makes room, or the journal works again.
  bool held_up() const;

  // Makes batches again of the rows that were not sent, and gives back those that are held: others
  // come before them now. The numbers of these rows stay unused, since the deliverer may have saved
  // one of them. add_first() puts what comes before them.
  std::vector<Spooling> unmake_rows();
  void add_first(std::vector<Spooling> batches);

  // Where the source is behind the row, as the journal saves it in one transaction with it.
  std::vector<SavedPosition> positions_with(const Row& row) const;
  // Whether a row is under way, or not handed on yet, that says where this partition is.
  bool is_saving(const std::string& partition) const;

  // Rows up to `end` are not needed any more.
  void remove_until(uint64_t end);

  uint64_t next() const { return next_; }
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
  void send(Row& row);
  void sent(uint64_t serial, const Result<uint64_t>& stored);
  void try_again_later(const Error& error);
  void say_full(const std::string& what);

  SpoolWriterSetup setup_;
  Timer linger_;
  Timer quiet_;
  Timer retry_;
  Timer remove_again_;
  std::deque<Spooling> pending_;
  size_t pending_bytes_ = 0;
  std::deque<Row> rows_;  // in order, until all before them are stored
  uint64_t next_ = 0;     // number of the next record
  uint64_t bytes_ = 0;    // in the journal
  double packing_ = 1;    // bytes stored for each byte of content, of the last row
  uint64_t removed_ = 0;  // rows up to here are gone
  uint64_t remove_to_ = 0;
  bool removing_ = false;
  Milliseconds remove_delay_;
  bool dropping_ = false;
  bool ending_ = false;
  bool lingered_ = false;
  int failures_ = 0;
  uint64_t serial_ = 0;  // of the last row
  log::OnceAMinute said_full_;
  log::OnceAMinute said_failing_;
  SpoolCounters counters_;
  std::function<void(Row&)> on_stored_;
  std::function<void()> on_stuck_;
  std::function<bool()> waits_ = [] { return false; };
  std::function<std::optional<uint64_t>()> drop_from_;
  std::function<void(uint64_t)> on_dropped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace leat
