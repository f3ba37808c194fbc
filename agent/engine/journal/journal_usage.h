// How much the agent writes to its journal, against what it reads: what a flash card must bear.
//
// Thread: any may count; the main loop's asks.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/units.h"

namespace leat {

class JournalUsage {
 public:
  // Of what transforms remember; the bytes are among those that were written.
  void count_checkpoint(uint64_t bytes) {
    checkpoints_.fetch_add(1, std::memory_order_relaxed);
    checkpoint_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void count_records(uint64_t n) { records_.fetch_add(n, std::memory_order_relaxed); }

  // What was written since the last call of it (or the start), `elapsed` ago:
  // "1.2 MiB written to the journal (3.1 bytes a record, 9.8 MiB a day) in 40 commits, 12 fsyncs";
  // with checkpoints ", with 20 KiB of state in 7 checkpoints".
  std::string line(Milliseconds elapsed);

 private:
  std::atomic<uint64_t> records_{0};
  std::atomic<uint64_t> checkpoints_{0};
  std::atomic<uint64_t> checkpoint_bytes_{0};
  uint64_t said_checkpoints_ = 0;
  uint64_t said_checkpoint_bytes_ = 0;
  uint64_t said_records_ = 0;
  uint64_t said_bytes_ = 0;
  uint64_t said_commits_ = 0;
  uint64_t said_syncs_ = 0;
};

}  // namespace leat
