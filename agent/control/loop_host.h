// A loop and what lives on it. With agent.workers = 1 there is one, on the main thread; with
// more, each further one has a thread of its own. A pipeline belongs to one host for its whole
// life.
#pragma once

#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "control/managed_pipeline.h"
#include "journal/journal.h"
#include "loop/loop.h"

namespace leat {

// One pipeline from its making to its end. No other has ever had this number.
using RunId = uint64_t;

class LoopHost {
 public:
  LoopHost(Journal& journal, std::unique_ptr<Loop> loop);
  ~LoopHost();
  LoopHost(const LoopHost&) = delete;
  LoopHost& operator=(const LoopHost&) = delete;

  Loop& loop() { return *loop_; }
  JournalClient& journal() { return *journal_; }

  void start_thread();  // runs the loop on a thread of its own
  // Joins the thread and closes the loop; all pipelines must have finished. False when something on
  // the thread pool does not come back in time (a DNS look-up cannot be cancelled): the loop is
  // then left as it is, and the process should end without waiting for it.
  bool close();

  // The pipelines on this loop. Loop thread only.
  std::map<RunId, std::unique_ptr<ManagedPipeline>> pipelines;

 private:
  const std::unique_ptr<Loop> loop_;
  std::unique_ptr<JournalClient> journal_;
  std::thread thread_;
  bool closed_ = false;
};

}  // namespace leat
