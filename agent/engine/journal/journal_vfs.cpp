#include "journal/journal_vfs.h"

#include <sqlite3.h>

#include "journal/wal_writer.h"

namespace leat {
namespace {

WriteCounters g_written;

// Stands behind the file object of the VFS below.
struct Tail {
  const sqlite3_io_methods* real;
  sqlite3_io_methods own;
  WalWriter* wal;  // null: not a WAL; deleted by close_wal()
};

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return vfs;
}

// Of the file object below, with room for the alignment of what follows it.
int real_size() {
  constexpr int kAlignment = alignof(Tail);
  return (real_vfs()->szOsFile + kAlignment - 1) / kAlignment * kAlignment;
}

Tail& tail(sqlite3_file* file) {
  return *reinterpret_cast<Tail*>(reinterpret_cast<char*>(file) + real_size());
}

int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  g_written.bytes += static_cast<uint64_t>(size);
  const Tail& own = tail(file);
  return own.wal != nullptr ? own.wal->write(data, size, offset)
                            : own.real->xWrite(file, data, size, offset);
}

int sync_file(sqlite3_file* file, int flags) {
  const Tail& own = tail(file);
  int code = own.wal != nullptr ? own.wal->flush() : SQLITE_OK;
  ++g_written.syncs;
  if (code == SQLITE_OK) code = own.real->xSync(file, flags);
  if (code != SQLITE_OK) ++g_written.failed_syncs;
  return code;
}

// What asks for the content of a WAL, or for its size.
template <auto Method, class... Arguments>
int flushed(sqlite3_file* file, Arguments... arguments) {
  const int code = tail(file).wal->flush();
  return code != SQLITE_OK ? code : (tail(file).real->*Method)(file, arguments...);
}

int close_wal(sqlite3_file* file) {
  const int code = tail(file).wal->flush();
  delete tail(file).wal;
  const int closed = tail(file).real->xClose(file);
  return code != SQLITE_OK ? code : closed;
}

int open_file(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags,
              int* out_flags) {
  int code = real_vfs()->xOpen(real_vfs(), name, file, flags, out_flags);
  if (file->pMethods == nullptr) return code;
  Tail& own = tail(file);
  own.real = file->pMethods;
  own.own = *file->pMethods;
  own.own.xWrite = write_file;
  own.own.xSync = sync_file;
  own.wal = nullptr;
  if ((flags & SQLITE_OPEN_WAL) != 0) {
    own.wal = new WalWriter(file, own.real);
    own.own.xRead = flushed<&sqlite3_io_methods::xRead>;
    own.own.xTruncate = flushed<&sqlite3_io_methods::xTruncate>;
    own.own.xFileSize = flushed<&sqlite3_io_methods::xFileSize>;
    own.own.xClose = close_wal;
  }
  file->pMethods = &own.own;
  return code;
}

}  // namespace

const char* journal_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *real_vfs();
    copy.zName = "leat";
    copy.szOsFile = real_size() + static_cast<int>(sizeof(Tail));
    copy.xOpen = open_file;
    copy.pNext = nullptr;
    return copy;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;  // null: the default one, uncounted
}

WriteCounters& written() {
  return g_written;
}

}  // namespace leat
