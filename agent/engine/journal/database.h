// All SQL of the journal. The format is described in FORMAT.md.
//
// Thread: opened on one thread, then used by the journal thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "journal/room.h"
#include "journal/spool_table.h"
#include "record/position.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_file;

namespace leat {

struct RawFile;

class JournalDatabase {
 public:
  // Needs no room on the disk where there is a journal. One that is damaged is set aside as
  // "<path>.damaged-N", and what can be read of it makes a new one; the log says so.
  static Result<std::unique_ptr<JournalDatabase>> open(const std::string& path, const Clock& clock);
  // Holds nothing and keeps nothing: for an agent that starts where there is no room to make a
  // journal.
  static Result<std::unique_ptr<JournalDatabase>> open_stand_in(const std::string& path,
                                                                const Clock& clock);
  ~JournalDatabase();
  bool stand_in() const { return stand_in_; }
  // It stands in for a journal that was there, and could not be made again so far: nobody knows now
  // what that holds.
  bool stands_in_for_lost() const { return stand_in_ && rebuilt_; }

  // Puts a new journal in the place of `old`, which is damaged, or whose file is gone, with what
  // can be read of it. After an error `old` is as it was, or, when that was closed already, a
  // stand-in for it; open() then goes on where this ended.
  // `power_cut`: JournalFiles::power_cut.
  static Status replace(std::unique_ptr<JournalDatabase>& old, const std::string& why,
                        bool power_cut = false);
  // Makes `journal` anew without the pages that nothing is in, as small as it can be (compact.cpp).
  // After an error it is as it was, or, when it cannot be opened again, a stand-in.
  struct Compacted {
    uint64_t before = 0;  // bytes of the file
    uint64_t after = 0;
  };
  static Result<Compacted> compact(std::unique_ptr<JournalDatabase>& journal);
  // Only to be looked at: nothing is written, whatever is found, and nothing is mended. For
  // handle() alone.
  static Result<std::unique_ptr<JournalDatabase>> open_to_look(const std::string& path,
                                                               const Clock& clock);
  // Of the WAL, found when it was opened to look; "" when there is none.
  const std::string& damage() const { return damage_; }
  // For SQL that only tools need.
  sqlite3* handle() const { return db_; }
  const std::string& path() const { return path_; }

  // Whether what was done last failed since the journal is damaged.
  bool damaged() const;
  // It could not be made anew so far: what cannot be read of it is passed over.
  void note_beyond_repair() { beyond_repair_ = true; }
  bool beyond_repair() const { return beyond_repair_; }
  // Why what is committed would not be in the file of that name any more: somebody has removed or
  // replaced it. "" when all is well.
  std::string lost_file() const;

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

  // The spools (spool_check.cpp). What is missing in one that is opened is said, and with
  // `can_replay` the saved positions go back to before it.
  Result<SpoolState> open_spool(const std::string& pipeline, bool can_replay);
  Result<uint64_t> append(const std::string& pipeline, const SpoolRow& row,
                          const std::vector<SavedPosition>& positions);
  Result<SpoolRemoved> remove(const std::string& pipeline, uint64_t to);
  Result<SpoolRemoved> drop(const std::string& pipeline, uint64_t from, uint64_t bytes);
  SpoolTable& spool() { return spool_; }

 private:
  JournalDatabase(sqlite3* db, std::string path, const Clock& clock);
  static Result<std::unique_ptr<JournalDatabase>> open_file(const std::string& path,
                                                            const Clock& clock);
  static Result<std::unique_ptr<JournalDatabase>> open_or_mend(const std::string& path,
                                                               const Clock& clock);
  Status prepare();
  Status damage_of_wal();
  static RawFile raw(sqlite3_file* file);
  sqlite3_file* file() const;
  sqlite3_file* wal_file() const;

  // What is known of a spool while its rows are looked at.
  struct Holes {
    uint64_t next = 0;  // all before it is there, or known not to be
    uint64_t lost = 0;
    bool unsaid = false;  // the journal was made anew, and nobody has looked since
    std::map<std::string, std::string>
        resume;                                // where the source was before the first that is lost
    std::vector<uint64_t> damaged;             // rows, by their first record
    std::map<std::string, std::string> again;  // `resume` of one that was found while it ran
  };
  void say_left_out(const std::string& pipeline, const SpoolState& state);
  enum class GoBack { kNever, kNow, kAtTheNextStart };
  Status check_open_spools();
  Result<uint64_t> check_spool(const std::string& pipeline, const SpoolState& state, bool look,
                               GoBack go_back);
  Status find_holes(const std::string& pipeline, uint64_t end, Holes* holes);
  Status mend(const std::string& pipeline, const std::vector<SavedPosition>& saved,
              const Holes& holes, GoBack go_back);
  Result<std::vector<SavedPosition>> load_all(const std::string& pipeline);
  static bool is_internal(const std::string& partition);

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
  SpacedTries checkpoint_again_;
  uint64_t failed_syncs_;  // of the process, before this was opened
  int wal_pages_ = 0;      // since the WAL began anew
  bool stand_in_ = false;
  bool is_new_ = false;  // it was made by this run
  std::string damage_;   // of the WAL, found when it was opened: nothing else was done then
  bool out_of_room_ = false;
  bool keep_wal_ = false;  // as it is, and the file, too, when this is closed
  bool rebuilt_ = false;   // by this run, after damage
  bool beyond_repair_ = false;
  uint64_t wal_inode_ = 0;
  int64_t left_in_wal_ = 0;            // bytes, by the last run
  std::vector<RowIdentity> left_out_;  // WalCheck::rows, until their spool is opened
  bool durable_ = false;               // `synchronous` is FULL
  bool synced_ = false;                // the file and its name in the folder are on the disk
  std::string broken_;                 // why nothing is committed any more
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
