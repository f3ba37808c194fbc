// A disk that fails when it is told to, under every database that is opened while it is there.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>

namespace leat::testing {

class FailingDisk {
 public:
  FailingDisk() {
    real() = sqlite3_vfs_find(nullptr);
    vfs_ = *real();
    vfs_.zName = "failing";
    vfs_.szOsFile = tail_at() + static_cast<int>(sizeof(Tail));
    vfs_.xOpen = open;
    EXPECT_EQ(sqlite3_vfs_register(&vfs_, 1), SQLITE_OK);
  }
  ~FailingDisk() {
    sqlite3_vfs_unregister(&vfs_);
    syncs_to_fail = writes_to_fail = 0;
  }
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  // Of the write-ahead log: the next so many.
  static inline std::atomic<int> syncs_to_fail{0};
  static inline std::atomic<int> writes_to_fail{0};

 private:
  // Behind the real file object.
  struct Tail {
    const sqlite3_io_methods* real;
    sqlite3_io_methods methods;
  };
  static sqlite3_vfs*& real() {
    static sqlite3_vfs* vfs = nullptr;
    return vfs;
  }
  static int tail_at() {
    constexpr int kAlignment = alignof(Tail);
    return (real()->szOsFile + kAlignment - 1) / kAlignment * kAlignment;
  }
  static Tail& tail(sqlite3_file* file) {
    return *reinterpret_cast<Tail*>(reinterpret_cast<char*>(file) + tail_at());
  }
  static bool fails(std::atomic<int>& left) {
    if (left <= 0) return false;
    --left;
    return true;
  }
  static int sync(sqlite3_file* file, int flags) {
    return fails(syncs_to_fail) ? SQLITE_IOERR_FSYNC : tail(file).real->xSync(file, flags);
  }
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    return fails(writes_to_fail) ? SQLITE_IOERR_WRITE
                                 : tail(file).real->xWrite(file, data, size, at);
  }
  static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    int code = real()->xOpen(real(), name, file, flags, out);
    if (file->pMethods == nullptr || (flags & SQLITE_OPEN_WAL) == 0) return code;
    Tail& own = tail(file);
    own.real = file->pMethods;
    own.methods = *file->pMethods;
    own.methods.xSync = sync;
    own.methods.xWrite = write;
    file->pMethods = &own.methods;
    return code;
  }

  static inline sqlite3_vfs vfs_;  // connections may outlive the test's FailingDisk
};

}  // namespace leat::testing
