// Brings what the ledger has released to where it is kept, and then to whom it is owed: the
// position of each partition is saved in the journal, and acknowledged after that.
//
// A position that cannot be saved (a full disk) must not stop deliveries: it only means that more
// would be sent again after a crash. It is tried again with the next one, or when none comes, and
// never behind a later one of its partition.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

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

  Ledger& ledger() { return ledger_; }

  // Something was settled: what is released by it is saved and acknowledged. True when that is
  // through at once; otherwise `then` is called when it is (from the loop). Only one may wait.
  bool release(std::function<void()> then = nullptr);

  // Something durable is about to be stored in the journal, in one transaction with how far it
  // settles the debts of which it is made (`owed`): the positions for that. One of
  // stored() and not_stored() follows, before anything else is taken along.
  std::vector<SavedPosition> take_along(const Owed& owed);
  void stored(Owed owed);
  void not_stored();

  // The pipeline ends: what could not be saved is not tried again.
  void stop() { again_.stop(); }

 private:
  void collect();
  bool go_on();
  void save(std::vector<SavedPosition> positions);
  void saved(const Status& status, const std::vector<SavedPosition>& positions);
  void say(const Status& status);
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

  std::vector<Reached> along_;  // with something else, under way
  std::vector<SavedPosition> along_as_;

  std::vector<SavedPosition> unsaved_;  // that the journal did not take
  Timer again_;
  Milliseconds delay_;
  bool failed_ = false;  // and that was said
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace leat
