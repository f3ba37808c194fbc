// A libuv loop and what lives on it. With agent.workers = 1 there is one, on the main thread; with
// more, each further one has a thread of its own. A pipeline belongs to one host for its whole
// life.
#pragma once

#include <uv.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "control/managed_pipeline.h"
#include "journal/journal.h"
#include "loop/handles.h"

namespace leat {

// One pipeline from its making to its end. No other has ever had this number.
using RunId = uint64_t;

class LoopHost {
 public:
  explicit LoopHost(Journal& journal);
  ~LoopHost();
  LoopHost(const LoopHost&) = delete;
  LoopHost& operator=(const LoopHost&) = delete;

  uv_loop_t* loop() { return &loop_; }
  JournalClient& journal() { return *journal_; }

  // Runs `task` on this host's loop. Any thread.
  void post(std::function<void()> task);

  void start_thread();  // runs the loop on a thread of its own
  void run();           // runs it here, until stop()
  void stop();          // any thread: lets run() return
  // Joins the thread and closes the loop; all pipelines must have finished. False when something on
  // the thread pool does not come back in time (a DNS look-up cannot be cancelled): the loop is
  // then left as it is, and the process should end without waiting for it.
  bool close();

  // The pipelines on this loop. Loop thread only.
  std::map<RunId, std::unique_ptr<ManagedPipeline>> pipelines;

 private:
  void run_posted();

  uv_loop_t loop_;
  std::unique_ptr<JournalClient> journal_;
  std::mutex mutex_;  // guards posted_: control messages only, never data
  std::deque<std::function<void()>> posted_;
  std::unique_ptr<Async> async_;
  std::thread thread_;
  bool closed_ = false;
};

}  // namespace leat
