// A disk under SQLite that fails, fills up, and loses what was not synced, as the test says.
//
// It is a VFS over SQLite's own (https://sqlite.org/vfs.html), for the files in one folder; all
// else passes through. It registers itself as the default one before main(), so the journal's
// counting VFS stacks over it, and what salvages a damaged journal meets it, too. The files are
// real ones in that folder: stat(), rename() and unlink() beside SQLite see what SQLite sees, and a
// test may delete or replace one under an open handle. Beside each, what has reached the disk is
// kept in memory; cut_power() makes the files that again.
//
// A name is on the disk when its file was synced once, or was there before; deleting and renaming
// take effect at once. What a failed sync should have written never reaches the disk, even when the
// next sync works, as with a kernel that drops the pages.
//
// Thread: any; SQLite may be on another one than the test.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace leat::testing {

enum class DiskCall { kOpen, kRead, kWrite, kTruncate, kSync, kLock, kDelete };
const char* to_string(DiskCall call);

// Makes the nth call of a kind fail, counted from now, and as many behind it as `times` says.
struct DiskFault {
  static constexpr uint64_t kForEver = UINT64_MAX;
  DiskCall call;
  std::string file = {};  // how the path ends ("-wal", ".db"); empty: any
  uint64_t nth = 1;
  uint64_t times = 1;
  int code = 0;     // what SQLite is told (SQLITE_FULL, …); 0: what suits the call
  size_t keep = 0;  // bytes of a write that are written before it fails
};

// What a power cut leaves of the writes since the last sync.
enum class Unsynced {
  kLost,
  kKept,
  kSome,  // by the seed, each sector of 512 bytes for itself, in any order
};

class FaultyDisk {
 public:
  static constexpr size_t kSector = 512;

  explicit FaultyDisk(std::string folder);
  ~FaultyDisk();  // files that are still open go on working
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  void fail(DiskFault fault);
  void mend();  // no fault is left
  // Called before each call of this kind, on the thread that makes it; may take its time, as a slow
  // disk does.
  void before(DiskCall call, std::function<void()> hook);

  // Bytes that the files of the folder may take together; writes beyond give SQLITE_FULL, and what
  // still fits is written.
  void set_capacity(std::optional<uint64_t> bytes);
  uint64_t used() const;
  uint64_t free() const;  // much, without a capacity

  // As kill -9: what is open now does nothing to the disk any more, and is only good for being
  // closed. All that was written stays.
  void kill();
  // kill(), and the disk is what had reached it. Its files were written before the machine started:
  // now the note of the boot, "<file>.boot", says so, now only the times of the files.
  void cut_power(Unsynced unsynced, uint64_t seed = 0);

  // Damage on the disk itself, beneath all caches of the system. `file`: its path.
  void flip_bit(const std::string& file, uint64_t bit);
  void overwrite(const std::string& file, uint64_t offset, const std::string& bytes);

  struct Counters {
    std::map<DiskCall, uint64_t> calls;   // that worked
    std::map<DiskCall, uint64_t> failed;  // by a fault, or for want of room
    uint64_t bytes_written = 0;
    uint64_t full = 0;  // of `failed`: for want of room
  };
  Counters counters() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace leat::testing
