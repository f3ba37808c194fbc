#include "journal/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/counted.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/units.h"
#include "journal/bind_text.h"
#include "journal/boot_note.h"
#include "journal/journal_vfs.h"
#include "journal/salvage.h"
#include "journal/schema.h"
#include "journal/sqlite_error.h"
#include "journal/wal_check.h"

namespace leat {
namespace {

// A command that looks into the journal while no agent runs has it for less than this; so does an
// agent that is just ending.
constexpr int kPatienceMs = 1000;

// Pages of WAL after which a checkpoint is made (FORMAT.md).
constexpr int kCheckpointAfter = 2048;

constexpr const char* kSave =
    "INSERT OR REPLACE INTO positions(pipeline, partition, value, saved_at) VALUES(?1, ?2, ?3, ?4)";
constexpr const char* kForget = "DELETE FROM positions WHERE pipeline = ?1 AND partition = ?2";
constexpr const char* kLoad = "SELECT partition, value FROM positions WHERE pipeline = ?1";

// Writes the first bytes of a file over themselves.
bool write_again(sqlite3_file* file, sqlite3_int64 most) {
  if (file == nullptr || file->pMethods == nullptr) return true;  // there is no WAL yet
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return false;
  size = std::min(size, most);
  std::string piece(64 * 1024, '\0');
  for (sqlite3_int64 at = 0; at < size;) {
    auto n = static_cast<int>(std::min<sqlite3_int64>(size - at, sqlite3_int64{64 * 1024}));
    if (file->pMethods->xRead(file, piece.data(), n, at) != SQLITE_OK ||
        file->pMethods->xWrite(file, piece.data(), n, at) != SQLITE_OK)
      return false;
    at += n;
  }
  return true;
}

// What SQLite would answer with less clear words, or not at all.
Status can_be_opened(const std::string& path) {
  auto unusable = [&path](int error_number) {
    return fail(ErrorKind::kUsage, fail_errno("open " + path, error_number).value().message());
  };
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};  // a new one
  if (S_ISDIR(info.st_mode)) return unusable(EISDIR);
  if (!S_ISREG(info.st_mode))
    return fail(ErrorKind::kUsage, "open " + path + ": not a regular file");
  if (::access(path.c_str(), R_OK | W_OK) != 0) return unusable(errno);
  return {};
}

void say_replaced(const std::string& why, const std::string& aside, const Salvaged& saved) {
  std::string line = "the journal is made anew (" + why + ")";
  if (!aside.empty()) line += ", what was there is kept as " + aside;
  line += ": " + format_count(saved.positions, "position") + " and " +
          format_count(saved.records, "spooled record") + " carried over";
  if (saved.unknown > 0)
    line +=
        "; nobody knows whose " + format_count(saved.unknown, "record", "was", "were") + ": lost";
  log::error("leat", line + "; sources without a position start from the beginning");
}

// What is spooled is nobody else's to read: SQLite would make the file for all to read, and gives
// its WAL what the file has. Where this fails SQLite will say why, or the owner is another; but not
// that there is no room for a new file: of that it tells only the failure of what it tries next.
Status keep_private(const std::string& path, bool is_new) {
  constexpr mode_t kOwnerOnly = 0600;
  if (is_new) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
    if (fd < 0 && means_full(errno)) return fail(no_room(folder_of(path)));
    if (fd < 0 && errno == EROFS)
      return fail(ErrorKind::kUsage, fail_errno("open " + path, EROFS).value().message());
    if (fd >= 0) ::close(fd);
  }
  for (const char* suffix : {"", "-wal"}) ::chmod((path + suffix).c_str(), kOwnerOnly);
  return {};
}

}  // namespace

JournalDatabase::JournalDatabase(sqlite3* db, std::string path, const Clock& clock)
    : db_(db),
      path_(std::move(path)),
      clock_(clock),
      spool_(db),
      room_(path_),
      failed_syncs_(written().failed_syncs) {}

Error JournalDatabase::error(const std::string& what) const {
  return sqlite_error(db_, what);
}

bool JournalDatabase::damaged() const {
  int code = sqlite3_errcode(db_) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open_file(const std::string& path,
                                                                    const Clock& clock) {
  if (Status status = can_be_opened(path); !status) return fail(status.error());
  struct stat info {};
  bool is_new = ::stat(path.c_str(), &info) != 0 || info.st_size == 0;
  bool had_wal = ::access((path + "-wal").c_str(), F_OK) == 0;
  if (Status status = keep_private(path, is_new); !status) return fail(status.error());
  sqlite3* db = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(path.c_str(), &db, kFlags, journal_vfs());
  std::unique_ptr<JournalDatabase> database(new JournalDatabase(db, path, clock));
  if (code != SQLITE_OK) return fail(database->error("open " + path));
  sqlite3_busy_timeout(db, kPatienceMs);
  database->is_new_ = is_new;
  // Before anything is written: what is left of a start that fails must not look like damage to the
  // next one.
  Status status = look_at_journal(db, path);
  if (status) status = database->damage_of_wal();
  if (status && database->damage_.empty()) status = make_journal(db, path, is_new);
  if (!status) {
    database->keep_wal_ = status.error().kind() == ErrorKind::kData || had_wal;
    return fail(status.error());
  }
  sqlite3_busy_timeout(db, 0);  // nobody else can have it from now on
  database->keep_wal_ = !database->damage_.empty();
  if (database->keep_wal_) return database;
  if (status = database->prepare(); !status) {
    database->keep_wal_ = true;
    return fail(status.error());
  }
  return database;
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open(const std::string& path,
                                                               const Clock& clock) {
  Result<std::unique_ptr<JournalDatabase>> database = open_or_mend(path, clock);
  if (database && !(*database)->stand_in_) note_boot(path);
  return database;
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open_or_mend(const std::string& path,
                                                                       const Clock& clock) {
  if (Status status = finish_putting_in_place(path); !status) return fail(status.error());
  Result<std::unique_ptr<JournalDatabase>> database = open_file(path, clock);
  if (database) {
    std::string damage = (*database)->damage_;
    if (damage.empty()) return database;
    if (Status status = replace(*database, damage, is_of_another_boot(path, clock)); !status)
      return fail(status.error());
    return database;
  }
  if (database.error().kind() != ErrorKind::kData) return database;
  std::string reason = database.error().message();
  JournalFiles files{RawFile::of_path(path), RawFile::of_path(path + "-wal"),
                     is_of_another_boot(path, clock)};
  Room room(path);
  Result<Salvaged> saved = salvage(files, path, room, clock);
  if (!saved) return fail(saved.error().kind(), reason + "; " + saved.error().message());
  Result<std::string> aside = put_in_place(path);
  if (!aside) return fail(aside.error());
  say_replaced(reason, *aside, *saved);
  database = open_file(path, clock);
  if (database) (*database)->rebuilt_ = true;
  return database;
}

Status JournalDatabase::replace(std::unique_ptr<JournalDatabase>& old, const std::string& why,
                                bool power_cut) {
  std::string path = old->path_;
  const Clock& clock = old->clock_;
  Result<Salvaged> saved = fail(ErrorKind::kUnavailable, "");
  if (Status folder = make_folder(folder_of(path)); !folder) return folder;  // it may be gone, too
  // From now on, however this goes: the frames that SQLite does not read are only there, and
  // nothing that has its name may be removed.
  old->keep_wal_ = true;
  saved = salvage({raw(old->file()), raw(old->wal_file()), power_cut}, path, old->room_, clock);
  if (!saved) return fail(saved.error().kind(), why + "; " + saved.error().message());
  SpoolTable::Opened opened = old->spool_.opened();
  old.reset();  // and its locks are gone
  Result<std::string> aside = put_in_place(path);
  Result<std::unique_ptr<JournalDatabase>> fresh = fail(ErrorKind::kUnavailable, "");
  if (aside) {
    say_replaced(why, *aside, *saved);
    fresh = open_file(path, clock);
  }
  Status status = !aside ? Status(fail(aside.error())) : fresh ? Status{} : fail(fresh.error());
  if (!status) {
    log::error("leat", status.error().message());
    fresh = open_stand_in(path, clock);
    if (!fresh) return fail(fresh.error());
  }
  (*fresh)->rebuilt_ = true;
  if (!(*fresh)->stand_in_) note_boot(path);
  status = (*fresh)->spool_.take_over(opened);
  if (status && !(*fresh)->stand_in_) status = (*fresh)->check_open_spools();
  old = std::move(*fresh);
  return status;
}

Status JournalDatabase::damage_of_wal() {
  if (::access((path_ + "-wal").c_str(), F_OK) != 0 || wal_file() == nullptr) return {};
  RawFile wal = raw(wal_file());
  if (!wal.read) return fail(ErrorKind::kUnavailable, path_ + "-wal: its size is not known");
  left_in_wal_ = static_cast<int64_t>(wal.size);
  Result<WalCheck> check = check_wal(wal, raw(file()), is_of_another_boot(path_, clock_));
  if (!check) return fail(check.error().kind(), path_ + "-wal: " + check.error().message());
  if (!check->damage.empty()) damage_ = path_ + "-wal: " + check->damage;
  if (!check->cut_off_at) return {};
  if (wal_file()->pMethods->xTruncate(wal_file(), *check->cut_off_at) != SQLITE_OK)
    return fail(ErrorKind::kUnavailable, path_ + "-wal: its torn end cannot be cut off");
  log::info("leat", path_ + "-wal: " + check->torn);  // words elsewhere
  left_out_ = std::move(check->rows);
  return {};
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open_stand_in(const std::string& path,
                                                                        const Clock& clock) {
  sqlite3* db = nullptr;
  sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<JournalDatabase> database(new JournalDatabase(db, path, clock));
  database->stand_in_ = true;
  if (Status status = make_journal(db, path, true); !status) return fail(status.error());
  if (Status status = database->prepare(); !status) return fail(status.error());
  return database;
}

Status JournalDatabase::prepare() {
  struct Wanted {
    const char* sql;
    sqlite3_stmt** statement;
  };
  const Wanted wanted[] = {{"BEGIN IMMEDIATE", &begin_},
                           {"COMMIT", &commit_},
                           {"ROLLBACK", &rollback_},
                           {"PRAGMA page_count", &page_count_},
                           {"PRAGMA freelist_count", &free_pages_},
                           {kSave, &save_},
                           {kForget, &forget_},
                           {kLoad, &load_}};
  for (const Wanted& one : wanted)
    if (sqlite3_prepare_v3(db_, one.sql, -1, SQLITE_PREPARE_PERSISTENT, one.statement, nullptr) !=
        SQLITE_OK)
      return fail(error(path_));
  sqlite3_wal_hook(
      db_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<JournalDatabase*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return spool_.prepare();
}

JournalDatabase::~JournalDatabase() {
  // Without the reserve the room that the WAL has must not go to others: what frees room needs it.
  int keep_wal = !room_.reserved() && !spool_.seems_empty() ? 1 : 0;
  if (!stand_in_) sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
  // A checkpoint of what the disk may not have, cut short, would leave a file that no WAL mends.
  if (!keep_wal_ && !stand_in_)
    keep_wal_ = !(intact() && (synced_ || left_in_wal_ == 0 || sync_file()));
  if (keep_wal_) sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  for (sqlite3_stmt* statement :
       {begin_, commit_, rollback_, page_count_, free_pages_, save_, forget_, load_})
    sqlite3_finalize(statement);
  sqlite3_close_v2(db_);  // closes when the statements of spool_ are gone, too
}

// --- the disk -----------------------------------------------------------------------------------

RawFile JournalDatabase::raw(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  if (file == nullptr || file->pMethods->xFileSize(file, &size) != SQLITE_OK) return {};
  return {static_cast<uint64_t>(size), [file](uint64_t offset, void* into, size_t bytes) {
            return file->pMethods->xRead(file, into, static_cast<int>(bytes),
                                         static_cast<sqlite3_int64>(offset)) == SQLITE_OK;
          }};
}

// SQLite's own: closing another descriptor of the file would drop its locks.
sqlite3_file* JournalDatabase::file() const {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_FILE_POINTER, &file);
  return file == nullptr || file->pMethods == nullptr ? nullptr : file;
}

sqlite3_file* JournalDatabase::wal_file() const {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_JOURNAL_POINTER, &file);
  return file == nullptr || file->pMethods == nullptr ? nullptr : file;
}

// SQLite would go on in files without a name, or beside others that have them.
std::string JournalDatabase::lost_file() const {
  if (stand_in_) return "";
  int moved = 0;
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0) return path_ + " was removed or replaced by somebody";
  struct stat info {};
  if (wal_inode_ != 0 &&
      (::stat((path_ + "-wal").c_str(), &info) != 0 || info.st_ino != wal_inode_))
    return path_ + "-wal was removed or replaced by somebody";
  return "";
}

// A WAL is only read when the file beside it says that it has one: while that file has never
// reached the disk, no commit has, whatever was done with the WAL. Nor has it while the folder does
// not name them on disk.
//
// What an earlier run wrote and could not sync, the kernel may show though the disk never got it.
// A WAL ends, when it is read, at the first frame that is not there: what is committed behind such
// a frame would go with it. So what is there is written again, in place, which needs no room.
Status JournalDatabase::sync_file() {
  constexpr sqlite3_int64 kFirstPage = 1024;  // all others are in the WAL until they are synced
  if (!is_new_ && !(write_again(file(), kFirstPage) && write_again(wal_file(), left_in_wal_)))
    return fail(ErrorKind::kUnavailable, path_ + ": it cannot be written");
  bool done = file() != nullptr && file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL) == SQLITE_OK;
  if (!done || !sync_folder(folder_of(path_))) return broken();
  synced_ = true;
  return {};
}

Status JournalDatabase::broken() {
  broken_ = path_ +
            ": the disk failed to store what was written to it (fsync); nothing is journaled "
            "from now on: look at the disk, then restart leat";
  log::error("leat", broken_);
  return fail(ErrorKind::kUnavailable, broken_);
}

// The answers of SQLite do not tell of every sync that failed: not of one in a checkpoint.
Status JournalDatabase::intact() {
  if (!broken_.empty()) return fail(ErrorKind::kUnavailable, broken_);
  if (!stand_in_ && written().failed_syncs != failed_syncs_) return broken();
  return {};
}

// A checkpoint that finds no room writes all the same, so it is not tried again at once.
void JournalDatabase::checkpoint() {
  int64_t now = clock_.monotonic_us();
  if (!intact() || !checkpoint_again_.due(now)) return;
  // Else its sync would say that what the last run could not sync is on the disk.
  if (!synced_ && !stand_in_ && !sync_file()) return checkpoint_again_.failed(now);
  auto attempt = [this] {
    int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    return code == SQLITE_OK;
  };
  bool done = attempt() || (is_out_of_room(db_) && room_.release() && attempt());
  if (done) {
    checkpoint_again_ = {};
    wal_pages_ = 0;
  } else {
    checkpoint_again_.failed(now);
  }
}

Result<int64_t> JournalDatabase::number(sqlite3_stmt* statement) const {
  int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  if (sqlite3_reset(statement) != SQLITE_OK) return fail(error(path_));
  return value;
}

bool JournalDatabase::admits_rows(uint64_t bytes) {
  Result<int64_t> free_pages = number(free_pages_);
  uint64_t inside = free_pages ? static_cast<uint64_t>(*free_pages) * kPageSize : 0;
  return room_.admits(bytes, inside, clock_.monotonic_us());
}

Status JournalDatabase::no_room() const {
  return fail(leat::no_room(folder_of(path_)));
}

// --- transactions -------------------------------------------------------------------------------

Status JournalDatabase::begin(bool durable) {
  out_of_room_ = false;
  if (Status status = intact(); !status) return status;
  if (!room_.admits_positions(clock_.monotonic_us())) return no_room();
  if (durable && !synced_ && !stand_in_)
    if (Status status = sync_file(); !status) return status;
  if (durable != durable_) {
    if (Status status = execute(db_, durable ? kSyncFull : kSyncNormal, path_); !status)
      return status;
    durable_ = durable;
  }
  sqlite3_step(begin_);
  return sqlite3_reset(begin_) == SQLITE_OK ? Status{} : Status(fail(error(path_ + ": begin")));
}

Status JournalDatabase::commit(bool rows) {
  Result<int64_t> pages = number(page_count_);
  sqlite3_step(commit_);
  ++written().commits;
  if (sqlite3_reset(commit_) != SQLITE_OK) {
    Error failed = error(path_ + ": commit");
    if (Status status = intact(); !status) return status;
    return fail(failed);
  }
  spool_.committed();
  room_.succeeded(rows);
  struct stat info {};
  if (wal_inode_ == 0 && !stand_in_ && ::stat((path_ + "-wal").c_str(), &info) == 0)
    wal_inode_ = info.st_ino;
  // The WAL must always fit into the database, at worst with the help of the reserve.
  sqlite3_int64 size = 0;
  if (file() != nullptr) file()->pMethods->xFileSize(file(), &size);
  bool grown = pages && *pages * kPageSize - size > static_cast<int64_t>(room_.size() / 2);
  if (wal_pages_ >= kCheckpointAfter || (rows && grown)) checkpoint();
  return intact();
}

void JournalDatabase::rollback() {
  out_of_room_ = is_out_of_room(db_);
  if (sqlite3_get_autocommit(db_) == 0) {  // else SQLite has rolled back by itself
    sqlite3_step(rollback_);
    sqlite3_reset(rollback_);
  }
  spool_.rolled_back();
}

Status JournalDatabase::save(const std::string& pipeline, const SavedPosition& position) {
  sqlite3_stmt* change = position.value.empty() ? forget_ : save_;
  bind_text(change, 1, pipeline);
  bind_text(change, 2, position.partition);
  if (change == forget_) {
    sqlite3_step(change);
    return sqlite3_reset(change) == SQLITE_OK ? Status{} : Status(fail(error(path_ + ": forget")));
  }
  bind_text(save_, 3, position.value);
  sqlite3_bind_int64(save_, 4, clock_.unix_us() / 1'000'000);
  sqlite3_step(save_);
  return sqlite3_reset(save_) == SQLITE_OK ? Status{} : Status(fail(error(path_ + ": save")));
}

Result<std::vector<SavedPosition>> JournalDatabase::load_all(const std::string& pipeline) {
  std::vector<SavedPosition> out;
  bind_text(load_, 1, pipeline);
  auto text = [this](int i) {
    return std::string(reinterpret_cast<const char*>(sqlite3_column_text(load_, i)),
                       static_cast<size_t>(sqlite3_column_bytes(load_, i)));
  };
  while (sqlite3_step(load_) == SQLITE_ROW) out.push_back({text(0), text(1)});
  if (sqlite3_reset(load_) != SQLITE_OK) return fail(error(path_ + ": load"));
  return out;
}

Result<std::vector<SavedPosition>> JournalDatabase::load(const std::string& pipeline) {
  Result<std::vector<SavedPosition>> all = load_all(pipeline);
  if (all) std::erase_if(*all, [](const SavedPosition& one) { return is_internal(one.partition); });
  return all;
}

}  // namespace leat
