// All SQL of the journal. The format is described in FORMAT.md.
//
// Thread: opened on one thread, then used by the journal thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "journal/room.h"
#include "journal/spool_table.h"
#include "stage/source.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_file;

namespace leat {

class JournalDatabase {
 public:
  // Needs no room on the disk where there is a journal of the present version.
  static Result<std::unique_ptr<JournalDatabase>> open(const std::string& path,
                                                       const Clock* clock = nullptr);
  // Holds nothing and keeps nothing: for an agent that starts where there is no room to make a
  // journal.
  static Result<std::unique_ptr<JournalDatabase>> open_stand_in(const std::string& path,
                                                                const Clock* clock = nullptr);
  ~JournalDatabase();
  bool stand_in() const { return stand_in_; }

  // A transaction. With `durable`, commit() returns only when the disk has it (fsync). After an
  // fsync that failed nothing is committed any more, since what the disk holds is then unknown
  // (https://wiki.postgresql.org/wiki/Fsync_Errors): a person must look at the disk and restart.
  Status begin(bool durable);
  Status commit(bool rows = false);  // `rows`: some were added to a spool
  void rollback();

  // Whether what was rolled back last failed for want of room.
  bool out_of_room() const { return out_of_room_; }
  // Whether rows of so many bytes may be added to a spool now. False after they found no room,
  // until there may be some: nothing is written for the answer.
  bool admits_rows(uint64_t bytes);
  Status no_room() const;
  Room& room() { return room_; }
  int64_t now_us() const { return clock_.monotonic_us(); }
  // What the WAL holds goes into the database, whose free pages then take it, and the WAL begins
  // anew.
  void checkpoint();

  // A position without a value is removed.
  Status save(const std::string& pipeline, const SavedPosition& position);
  Result<std::vector<SavedPosition>> load(const std::string& pipeline);
  SpoolTable& spool() { return spool_; }

 private:
  JournalDatabase(sqlite3* db, std::string path, const Clock& clock);
  static Result<std::unique_ptr<JournalDatabase>> open_file(const std::string& path,
                                                            const Clock& clock);
  Status prepare();
  sqlite3_file* file() const;
  Status sync_file();
  Status broken();  // after an fsync that failed
  Status intact();
  Result<int64_t> number(sqlite3_stmt* statement) const;
  Error error(const std::string& what) const;

  sqlite3* db_;
  std::string path_;
  const Clock& clock_;
  SpoolTable spool_;
  Room room_;
  Backoff checkpoint_again_;
  uint64_t failed_syncs_;  // of the process, before this was opened
  int wal_pages_ = 0;      // since the WAL began anew
  bool stand_in_ = false;
  bool is_new_ = false;  // it was made by this run
  bool out_of_room_ = false;
  bool durable_ = false;  // `synchronous` is FULL
  bool synced_ = false;   // the file and its name in the folder are on the disk
  std::string broken_;    // why nothing is committed any more
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* rollback_ = nullptr;
  sqlite3_stmt* page_count_ = nullptr;
  sqlite3_stmt* free_pages_ = nullptr;
  sqlite3_stmt* save_ = nullptr;
  sqlite3_stmt* forget_ = nullptr;
  sqlite3_stmt* load_ = nullptr;
};

}  // namespace leat
