// Brings what the ledger has released to where it is kept, and then to whom it is owed: the
// position of each partition is saved in the journal, and acknowledged after that.
//
// Where a source can be read again from a position, acknowledging destroys nothing, and a position
// that is saved late costs only repetition after a crash. Such ones are acknowledged at once, and
// saved in the rhythm of JournalClient::at_next_commit(), and when the pipeline ends.
//
// A position that cannot be saved (a full disk) must not stop deliveries: it only means that more
// would be sent again after a crash. It is tried again with the next one, or when none comes, and
// never behind a later one of its partition.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifetime.h"
#include "base/units.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "record/ledger.h"

namespace leat {

class Acknowledgements {
 public:
  // `in_the_sink`: with exactlyOnce the sink stores the positions with the data; the journal has
  // only those that are saved together with something else.
  Acknowledgements(Loop& loop, std::string pipeline, JournalClient& journal, bool in_the_sink);
  ~Acknowledgements();

  // Of this source positions may be saved late.
  void may_save_late(const Acknowledger& source) { late_ = &source; }

  Ledger& ledger() { return ledger_; }

  // Something was settled: what is released by it is saved and acknowledged. True when that is
  // through at once; otherwise `then` is called when it is (from the loop). Only one may wait.
  bool release(std::function<void()> then = nullptr);

  // Something durable is about to be stored in the journal, in one transaction with how far it
  // settles the debts of which it is made (`owed`): the positions for that. One of
  // stored() and not_stored() follows, before anything else is taken along with such a thing.
  enum class With : uint8_t { kRow, kState };  // of the spool; what transforms remember
  std::vector<SavedPosition> take_along(const Owed& owed, With with = With::kRow);
  void stored(Owed owed, With with = With::kRow);
  void not_stored(With with = With::kRow);

  // Somebody else is about to save these, behind all that was asked for so far: what waits for the
  // same partitions is not saved any more.
  void overtaken_by(const std::vector<SavedPosition>& what);

  // How often release() was called; and how many of these calls, from the first on, have brought
  // all their positions into the journal.
  uint64_t releases() const { return releases_; }
  uint64_t saved_releases() const { return saved_releases_; }
  // What waits to be saved waits no longer.
  void save_now();

  // The pipeline ends: what waits is saved now, and nothing is tried again.
  void stop();

 private:
  void collect();
  bool go_on();
  void save(std::vector<SavedPosition> positions);
  void saved(const Status& status);
  void say(const Status& status);
  bool may_wait(const Acknowledger& by) const;
  void take_unsaved(std::vector<SavedPosition>& into);
  void save_later();
  void save_again_later();
  void keep_unsaved(SavedPosition position);
  bool is_along(const std::string& partition) const;

  const std::string pipeline_;
  JournalClient& journal_;
  const bool in_the_sink_;
  Ledger ledger_;
  std::vector<Reached> waiting_;    // released, and not begun to be saved
  std::vector<Reached> releasing_;  // told when what is under way is through
  bool saving_ = false;
  std::function<void()> then_;
  bool covered_ = false;  // then_ waits for what is under way, not for what comes next

  struct Along {  // with something else, under way
    std::vector<Reached> reached;
    std::vector<SavedPosition> as;
  };
  Along& along(With with) { return along_[static_cast<size_t>(with)]; }
  Along along_[2];

  const Acknowledger* late_ = nullptr;
  std::map<std::string, std::string> unsaved_;  // by partition: that wait, or were not taken
  std::vector<SavedPosition> under_way_;        // while saving_
  bool waits_ = false;                          // for the next commit of what may wait
  bool stopped_ = false;
  uint64_t releases_ = 0;
  uint64_t collected_ = 0;         // of them
  uint64_t covered_releases_ = 0;  // by what is under way
  uint64_t saved_releases_ = 0;
  Timer again_;
  // Until what could not be saved is tried again: each failed attempt may write.
  DoublingDelay delay_{Milliseconds{1'000}, Milliseconds{60'000}};
  bool failed_ = false;  // and that was said
  Lifetime lifetime_;
};

}  // namespace leat
