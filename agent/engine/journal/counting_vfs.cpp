#include "journal/counting_vfs.h"

#include <sqlite3.h>

#include <cstring>

namespace leat {
namespace {

WriteCounters g_written;

// Stands behind the file object of the VFS below.
struct Tail {
  const sqlite3_io_methods* real;
  sqlite3_io_methods counted;
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

int counted_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  g_written.bytes += static_cast<uint64_t>(size);
  return tail(file).real->xWrite(file, data, size, offset);
}

int counted_sync(sqlite3_file* file, int flags) {
  ++g_written.syncs;
  int code = tail(file).real->xSync(file, flags);
  if (code != SQLITE_OK) ++g_written.failed_syncs;
  return code;
}

int counted_open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags,
                 int* out_flags) {
  int code = real_vfs()->xOpen(real_vfs(), name, file, flags, out_flags);
  if (file->pMethods == nullptr) return code;
  Tail& own = tail(file);
  own.real = file->pMethods;
  own.counted = *file->pMethods;
  own.counted.xWrite = counted_write;
  own.counted.xSync = counted_sync;
  file->pMethods = &own.counted;
  return code;
}

}  // namespace

const char* counting_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *real_vfs();
    copy.zName = "leat";
    copy.szOsFile = real_size() + static_cast<int>(sizeof(Tail));
    copy.xOpen = counted_open;
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
