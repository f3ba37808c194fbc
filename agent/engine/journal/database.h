// All SQL of the journal. The format is described in FORMAT.md.
//
// Thread: opened on one thread, then used by the journal thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/spool_table.h"
#include "stage/source.h"

struct sqlite3;
struct sqlite3_stmt;

namespace leat {

class JournalDatabase {
 public:
  static Result<std::unique_ptr<JournalDatabase>> open(const std::string& path);
  ~JournalDatabase();

  // A transaction. With `durable`, commit() returns only when the disk has it (fsync). After an
  // fsync that failed nothing is committed any more, since what the disk holds is then unknown
  // (https://wiki.postgresql.org/wiki/Fsync_Errors): a person must look at the disk and restart.
  Status begin(bool durable);
  Status commit();
  void rollback();
  // After a transaction that failed, perhaps because the disk is full: what the WAL holds goes into
  // the database, whose free pages then take it, and the WAL begins anew.
  void make_room();

  Status save(const std::string& pipeline, const SavedPosition& position);
  Result<std::vector<SavedPosition>> load(const std::string& pipeline);
  SpoolTable& spool() { return spool_; }

 private:
  JournalDatabase(sqlite3* db, std::string path) : db_(db), path_(std::move(path)), spool_(db) {}
  static Result<std::unique_ptr<JournalDatabase>> open_file(const std::string& path);
  Status prepare();
  Status sync_file();
  Status broken();  // after an fsync that failed
  Error error(const std::string& what) const;

  sqlite3* db_;
  std::string path_;
  SpoolTable spool_;
  bool is_new_ = false;   // it was made by this run
  bool durable_ = false;  // `synchronous` is FULL
  bool synced_ = false;   // the file and its name in the folder are on the disk
  std::string broken_;    // why nothing is committed any more
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* rollback_ = nullptr;
  sqlite3_stmt* save_ = nullptr;
  sqlite3_stmt* load_ = nullptr;
};

}  // namespace leat
