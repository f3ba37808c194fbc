// Counts what SQLite writes to the files of the journal, so that wear on flash can be shown.
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
};

// The name to open a database with; its writes, and those of its WAL, are then counted.
const char* counting_vfs();
WriteCounters& written();

}  // namespace leat
