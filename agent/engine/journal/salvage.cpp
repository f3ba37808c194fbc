#include "journal/salvage.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/folder.h"
#include "base/units.h"
#include "journal/bind_text.h"
#include "journal/journal_vfs.h"
#include "journal/page_rows.h"
#include "journal/spool_table.h"
#include "journal/sqlite_error.h"

namespace leat {
namespace {

using Key = std::pair<std::string, std::string>;

// A row of `spools`.
struct Spool {
  std::string pipeline;
  std::string epoch;
};

struct Position {
  std::string value;
  int64_t saved_at = 0;
};

// What is small: read first, since it says what of the rest is wanted.
struct Index {
  std::map<Key, Position> positions;
  std::map<int64_t, Spool> spools;            // by number
  std::map<std::string, std::string> epochs;  // by pipeline
  std::map<std::string, std::string> noted;   // epochs again, from what positions say of spools
  std::map<std::string, uint64_t> delivered;  // by epoch

  void take(const PageRow& row) {
    size_t n = row.columns.size();
    if (n == 4 && text(row, 0) && text(row, 1) && text(row, 2) && number(row, 3)) {
      Position& known = positions[{*text(row, 0), *text(row, 1)}];
      if (*number(row, 3) >= known.saved_at) known = {*text(row, 2), *number(row, 3)};
    } else if (n == 3 && row.columns[0].index() == 0 && text(row, 1) && text(row, 2)) {
      spools[row.rowid] = {*text(row, 1), *text(row, 2)};
      epochs[*text(row, 1)] = *text(row, 2);
    }
  }
  void finish() {
    std::map<std::string, int64_t> latest;  // by pipeline
    for (const auto& [key, position] : positions) {
      const auto& [pipeline, partition] = key;
      if (!partition.starts_with("spool:")) continue;
      delivered[partition.substr(6)] = std::strtoull(position.value.c_str(), nullptr, 10);
      int64_t& saved_at = latest.try_emplace(pipeline, position.saved_at).first->second;
      if (position.saved_at < saved_at) continue;
      saved_at = position.saved_at;
      noted[pipeline] = partition.substr(6, partition.find(':', 6) - 6);
    }
  }
};

class NewJournal {
 public:
  explicit NewJournal(std::string path) : path_(std::move(path)) {}
  ~NewJournal() {
    close();
    if (!kept_) remove_files();
  }

  Status open() {
    close();
    remove_files();
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path_.c_str(), &db_, kFlags, journal_vfs()) != SQLITE_OK)
      return fail(sqlite_error(db_, "open " + path_));
    if (Status status = make_journal(db_, path_, true); !status) return status;
    return execute(db_, "BEGIN", path_);
  }

  Status add(const char* sql, const std::function<void(sqlite3_stmt*)>& bind) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK) {
      bind(statement);
      sqlite3_step(statement);
    }
    return sqlite3_finalize(statement) == SQLITE_OK ? Status{}
                                                    : Status(fail(sqlite_error(db_, path_)));
  }

  // The WAL must not become as large as the rest.
  Status flush() {
    if (Status status = execute(db_, "COMMIT", path_); !status) return status;
    if (sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) !=
        SQLITE_OK)
      return fail(sqlite_error(db_, path_));
    return execute(db_, "BEGIN", path_);
  }

  Status finish() {
    for (const char* sql : {"COMMIT", "PRAGMA synchronous=FULL"})
      if (Status status = execute(db_, sql, path_); !status) return status;
    if (sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) !=
        SQLITE_OK)
      return fail(sqlite_error(db_, path_));
    sqlite3_file* file = nullptr;
    sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_FILE_POINTER, &file);
    if (file == nullptr || file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
      return fail(ErrorKind::kUnavailable, path_ + ": fsync failed");
    close();
    kept_ = true;
    return {};
  }

 private:
  void close() {
    sqlite3_close(db_);
    db_ = nullptr;
  }
  void remove_files() {
    ::unlink(path_.c_str());
    ::unlink((path_ + "-wal").c_str());
  }

  std::string path_;
  sqlite3* db_ = nullptr;
  bool kept_ = false;
};

class Salvage {
 public:
  Salvage(const JournalFiles& files, const std::string& into, Room& room, const Clock& clock)
      : pages_(files.database, files.wal),
        positions_(files.database, files.wal,
                   files.power_cut ? WalEnd::kFirstBadFrame : WalEnd::kLastCommit),
        into_(into),
        folder_(folder_of(into)),
        room_(room),
        clock_(clock) {}

  Result<Salvaged> run() {
    for (uint32_t page = 1; page <= positions_.count(); ++page)
      rows_of_page(positions_, page, [this](PageRow& row) { index_.take(row); });
    index_.finish();
    measure();
    uint64_t free = room_.free_on_disk();
    if (free < needed_ && free + room_.size() >= needed_) room_.release();
    if (room_.free_on_disk() < needed_) return too_little_room();
    Result<Salvaged> saved = copy();
    if (saved || !is_no_room(saved.error())) return saved;
    if (room_.release()) saved = copy();
    return saved || !is_no_room(saved.error()) ? saved : too_little_room();
  }

 private:
  Result<Salvaged> too_little_room() const {
    return fail(no_room(folder_, ": to make it anew takes at least " +
                                     format_bytes(static_cast<int64_t>(needed_)) + ", and " +
                                     format_bytes(static_cast<int64_t>(room_.free_on_disk())) +
                                     " are free"));
  }

  // A try that fails would fill the disk first.
  void measure() {
    measuring_ = true;
    for (uint32_t page = 1; page <= pages_.count(); ++page)
      rows_of_page(pages_, page, [this](PageRow& row) { take_row(row); });
    measuring_ = false;
  }

  Result<Salvaged> copy() {
    saved_ = {};
    seen_.clear();
    ends_.clear();
    traces_.clear();
    numbers_.clear();
    status_ = into_.open();
    for (const auto& [key, position] : index_.positions) take_position(key, position);
    auto take = [this](PageRow& row) { take_row(row); };
    auto note = [this](PageRow& row) { note_trace(row); };
    for (uint32_t page = 1; page <= pages_.count() && status_; ++page)
      rows_of_page(pages_, page, take, note);
    // One that has no row left goes on with its numbers, so that what is missing is found.
    index_.epochs.merge(index_.noted);
    for (const auto& [pipeline, epoch] : index_.epochs) {
      number_of(pipeline, epoch);
      take_position({pipeline, "spool:" + epoch + ":seen"},
                    {std::to_string(last_seen(epoch)), clock_.unix_us() / 1'000'000});
    }
    if (status_) status_ = into_.finish();
    if (!status_) return fail(status_.error());
    return saved_;
  }

  void take_position(const Key& key, const Position& position) {
    if (!status_) return;
    status_ = into_.add("INSERT INTO positions VALUES(?1, ?2, ?3, ?4)", [&](sqlite3_stmt* insert) {
      bind_text(insert, 1, key.first);
      bind_text(insert, 2, key.second);
      bind_text(insert, 3, position.value);
      sqlite3_bind_int64(insert, 4, position.saved_at);
    });
    if (!key.second.starts_with("spool:")) ++saved_.positions;
  }

  void take_row(const PageRow& row) {
    if (!status_ || row.columns.size() != 4 || row.columns[0].index() != 0 || !number(row, 1) ||
        !number(row, 2) || !text(row, 3))
      return;
    const std::string& batch = *text(row, 3);
    std::optional<RowIdentity> whose = identify_row(batch);
    if (!whose && is_old_row(batch)) whose = of_version_2(row);
    if (!whose) return note_trace(row);
    auto epoch = index_.epochs.try_emplace(whose->pipeline, whose->epoch).first;
    if (epoch->second != whose->epoch) {
      saved_.unknown += whose->records;
      return;
    }
    auto delivered = index_.delivered.find(whose->epoch);
    if (delivered != index_.delivered.end() && whose->first + whose->records <= delivered->second)
      return;  // a page that is not used any more
    if (!seen_.insert({whose->epoch, whose->first}).second) return;
    uint64_t& end = ends_[whose->epoch];
    end = std::max(end, whose->first + whose->records);
    if (measuring_)
      needed_ += batch.size();
    else
      add_row(*whose, batch);
  }

  // Only `spools` says whose it is.
  std::optional<RowIdentity> of_version_2(const PageRow& row) {
    auto records = static_cast<uint64_t>(*number(row, 1));
    auto spool = index_.spools.find(spool_number(row.rowid));
    if (spool == index_.spools.end()) {
      saved_.unknown += records;
      return std::nullopt;
    }
    RowIdentity whose;
    whose.pipeline = spool->second.pipeline;
    whose.epoch = spool->second.epoch;
    whose.first = record_number(row.rowid);
    whose.records = records;
    return whose;
  }

  // A row that cannot be read, and says no more whose it is: where it stood tells.
  void note_trace(const PageRow& row) {
    constexpr int64_t kMostRecords = 1 << 20;  // of a row; what says more is not one
    if (measuring_ || row.columns.size() < 2 || row.columns[0].index() != 0 || !number(row, 1) ||
        *number(row, 1) <= 0 || *number(row, 1) > kMostRecords)
      return;
    traces_[row.rowid] = static_cast<uint64_t>(*number(row, 1));
  }

  // The number behind the last row that is there, and those that are lost behind it, as far as one
  // follows the other: nothing else may say that there were any.
  uint64_t last_seen(const std::string& epoch) {
    uint64_t end = ends_[epoch];
    for (const char* what : {"", ":end", ":known", ":removed"})
      if (auto found = index_.delivered.find(epoch + what); found != index_.delivered.end())
        end = std::max(end, found->second);
    for (const auto& [number, spool] : index_.spools) {
      if (spool.epoch != epoch) continue;
      for (auto row = traces_.find(row_id(number, end)); row != traces_.end();
           row = traces_.find(row_id(number, end)))
        end += row->second;
    }
    return end;
  }

  // Of its spool in the new journal.
  int64_t number_of(const std::string& pipeline, const std::string& epoch) {
    auto known = numbers_.try_emplace(epoch, static_cast<int64_t>(numbers_.size()) + 1);
    int64_t number = known.first->second;
    if (known.second && status_)
      status_ = into_.add("INSERT INTO spools VALUES(?1, ?2, ?3)", [&](sqlite3_stmt* insert) {
        sqlite3_bind_int64(insert, 1, number);
        bind_text(insert, 2, pipeline);
        bind_text(insert, 3, epoch);
      });
    return number;
  }

  void add_row(const RowIdentity& whose, const std::string& batch) {
    int64_t spool = number_of(whose.pipeline, whose.epoch);
    if (!status_) return;
    status_ = into_.add("INSERT INTO spool VALUES(?1, ?2, 0, ?3)", [&](sqlite3_stmt* insert) {
      sqlite3_bind_int64(insert, 1, row_id(spool, whose.first));
      sqlite3_bind_int64(insert, 2, static_cast<int64_t>(whose.records));
      sqlite3_bind_blob(insert, 3, batch.data(), static_cast<int>(batch.size()), SQLITE_STATIC);
    });
    ++saved_.batches;
    saved_.records += whose.records;
    constexpr uint64_t kFlushAfter = 64;
    if (status_ && saved_.batches % kFlushAfter == 0) status_ = into_.flush();
  }

  PageImages pages_;
  PageImages positions_;  // the pages in which positions are to be trusted
  NewJournal into_;
  std::string folder_;
  Room& room_;
  const Clock& clock_;
  Index index_;
  bool measuring_ = false;
  uint64_t needed_ = 0;  // bytes, at least
  Salvaged saved_;
  Status status_;
  std::map<std::string, int64_t> numbers_;           // of the new spools, by epoch
  std::set<std::pair<std::string, uint64_t>> seen_;  // epoch, first record
  std::map<std::string, uint64_t> ends_;             // behind the last of those, by epoch
  std::map<int64_t, uint64_t> traces_;               // records of rows that are lost, by id
};

// The first name that is free.
Result<std::string> set_aside(const std::string& path) {
  constexpr int kMostDamaged = 100;  // more than that many damaged journals need a person
  for (int n = 1; n <= kMostDamaged; ++n) {
    std::string target = path + ".damaged-" + std::to_string(n);
    if (::access(target.c_str(), F_OK) == 0) continue;
    if (std::rename(path.c_str(), target.c_str()) != 0)
      return fail_errno("rename " + path + " to " + target, errno);
    std::rename((path + "-wal").c_str(), (target + "-wal").c_str());
    return target;
  }
  return fail(ErrorKind::kUsage, path + ": damaged, and so are " + std::to_string(kMostDamaged) +
                                     " earlier ones beside it: remove some");
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string unfinished_path(const std::string& path) {
  return path + ".rebuilding";
}

std::string rebuilt_path(const std::string& path) {
  return path + ".rebuilt";
}

void remove_journal(const std::string& path) {
  ::unlink(path.c_str());
  ::unlink((path + "-wal").c_str());
}

}  // namespace

Result<Salvaged> salvage(const JournalFiles& files, const std::string& path, Room& room,
                         const Clock& clock) {
  std::string unfinished = unfinished_path(path);
  remove_journal(unfinished);
  Result<Salvaged> saved = Salvage(files, unfinished, room, clock).run();
  if (!saved) return saved;
  if (std::rename(unfinished.c_str(), rebuilt_path(path).c_str()) != 0)
    return fail_errno("rename " + unfinished + " to " + rebuilt_path(path), errno);
  return saved;
}

Result<std::string> put_in_place(const std::string& path) {
  std::string aside;
  if (exists(path)) {
    Result<std::string> renamed = set_aside(path);
    if (!renamed) return renamed;
    aside = *renamed;
  } else {
    ::unlink((path + "-wal").c_str());  // belongs to nothing
  }
  if (std::rename(rebuilt_path(path).c_str(), path.c_str()) != 0)
    return fail_errno("rename " + rebuilt_path(path) + " to " + path, errno);
  if (Status status = sync_folder(folder_of(path)); !status) return fail(status.error());
  return aside;
}

Status finish_putting_in_place(const std::string& path) {
  remove_journal(unfinished_path(path));  // what it was made of is still there
  if (!exists(rebuilt_path(path))) return {};
  Result<std::string> placed = put_in_place(path);
  return placed ? Status{} : Status(fail(placed.error()));
}

}  // namespace leat
