// The journal keeps its size when it has been drained. Here it is written anew as small as it can
// be, on request: that costs its content once on the flash, and room for it beside the old file.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/folder.h"
#include "base/log.h"
#include "base/units.h"
#include "journal/boot_note.h"
#include "journal/database.h"
#include "journal/journal_vfs.h"
#include "journal/page_images.h"
#include "journal/schema.h"
#include "journal/sqlite_error.h"
#include "journal/wal_check.h"

namespace leat {
namespace {

Status sync_file_at(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return fail_errno("open " + path, errno);
  bool done = ::fsync(fd) == 0;
  int error_number = errno;
  ::close(fd);
  return done ? Status{} : Status(fail_errno("fsync " + path, error_number));
}

// Whole, on the disk, and its owner's alone.
Status write_copy(sqlite3* db, const std::string& path) {
  ::unlink(path.c_str());
  constexpr mode_t kOwnerOnly = 0600;
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (fd < 0) return fail_errno("open " + path, errno);
  ::close(fd);
  std::string sql = "VACUUM INTO '";
  for (char c : path) sql += c == '\'' ? "''" : std::string(1, c);
  if (Status copied = execute(db, (sql + "'").c_str(), path); !copied) return copied;
  return sync_file_at(path);
}

}  // namespace

Result<JournalDatabase::Compacted> JournalDatabase::compact(
    std::unique_ptr<JournalDatabase>& journal) {
  JournalDatabase& old = *journal;
  if (old.stand_in_) return fail(ErrorKind::kUnavailable, old.path_ + ": is not there now");
  if (std::string lost = old.lost_file(); !lost.empty()) return fail(ErrorKind::kUnavailable, lost);
  // What the WAL holds must not be taken for pages of the new file: it is emptied first.
  old.checkpoint();
  bool emptied = sqlite3_wal_checkpoint_v2(old.db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                           nullptr) == SQLITE_OK;
  if (!emptied) return fail(old.error(old.path_ + ": checkpoint"));
  if (Status status = old.intact(); !status) return fail(status.error());
  Result<int64_t> pages = old.number(old.page_count_);
  Result<int64_t> free_pages = old.number(old.free_pages_);
  if (!pages || !free_pages) return fail((pages ? free_pages : pages).error());
  const uint64_t used = static_cast<uint64_t>(*pages - *free_pages) * kPageSize;
  if (old.room_.free_on_disk() < used + old.room_.size())
    return fail(leat::no_room(folder_of(old.path_),
                              "; it takes " + format_bytes(static_cast<int64_t>(used))));

  const std::string path = old.path_;
  const std::string copy = path + ".compact";
  Status status = write_copy(old.db_, copy);
  if (status) status = old.intact();
  struct stat made {};
  if (status && ::stat(copy.c_str(), &made) != 0) status = fail_errno("stat " + copy, errno);
  if (!status) {
    ::unlink(copy.c_str());
    return fail(status.error());
  }
  const Clock& clock = old.clock_;
  SpoolTable::Opened opened = old.spool_.opened();
  std::vector<RowIdentity> left_out = std::move(old.left_out_);
  journal.reset();
  if (std::rename(copy.c_str(), path.c_str()) != 0) {
    status = fail_errno("rename " + copy, errno);
    ::unlink(copy.c_str());
  } else {
    status = sync_folder(folder_of(path));
  }
  Result<std::unique_ptr<JournalDatabase>> fresh = open_file(path, clock);
  if (!fresh) {
    log::error("leat", fresh.error().message());
    fresh = open_stand_in(path, clock);
    if (fresh) (*fresh)->rebuilt_ = true;
  }
  if (!fresh) return fail(fresh.error());
  (*fresh)->left_out_ = std::move(left_out);
  Status taken = (*fresh)->spool_.take_over(opened);
  journal = std::move(*fresh);
  if (status) status = taken;
  if (!status) return fail(status.error());
  return Compacted{static_cast<uint64_t>(*pages) * kPageSize, static_cast<uint64_t>(made.st_size)};
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open_to_look(const std::string& path,
                                                                       const Clock& clock) {
  sqlite3* db = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                             journal_vfs());
  std::unique_ptr<JournalDatabase> database(new JournalDatabase(db, path, clock));
  database->keep_wal_ = true;
  if (code != SQLITE_OK) return fail(database->error("open " + path));
  if (Status status = look_at_journal(db, path); !status) return fail(status.error());
  Result<WalCheck> check =
      check_wal(raw(database->wal_file()), raw(database->file()), is_of_another_boot(path, clock));
  if (check && !check->damage.empty()) database->damage_ = path + "-wal: " + check->damage;
  return database;
}

}  // namespace leat
