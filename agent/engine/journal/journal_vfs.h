// Counts what SQLite writes to the files of the journal, so that wear on flash can be shown, and
// the syncs that fail; and gathers the frames of a WAL (wal_writer.h).
//
// A thin layer over SQLite's default VFS (https://sqlite.org/vfs.html). Thread: install() before
// any database is opened; the counters may be read from any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace leat {

struct WriteCounters {
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> syncs{0};
  std::atomic<uint64_t> commits{0};  // transactions; counted by JournalDatabase
  // Syncs that failed, whoever asked for them: SQLite tells nobody of one inside the checkpoint
  // that follows a commit.
  std::atomic<uint64_t> failed_syncs{0};
};

// The name to open a database with.
const char* journal_vfs();
WriteCounters& written();

}  // namespace leat
