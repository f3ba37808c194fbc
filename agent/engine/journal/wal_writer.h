// Gathers what SQLite appends to a WAL. It writes each frame by two calls, 24 bytes and a page of
// 1 KiB, and a full row of the spool takes dozens of frames: the calls cost more than the bytes.
//
// A transaction is with the system when its last frame, which tells so, has been written, as
// without this; a failure is then that frame's, on which SQLite takes the transaction back.
// Whatever does not go on where the last write ended is written at once.
//
// File format: https://sqlite.org/fileformat2.html#walformat. Thread: that of the connection.
#pragma once

#include <sqlite3.h>

#include <string>

namespace leat {

class WalWriter {
 public:
  // `file` and its `methods` outlive this.
  WalWriter(sqlite3_file* file, const sqlite3_io_methods* methods)
      : file_(file), methods_(methods) {}
  WalWriter(const WalWriter&) = delete;

  // Both give a result code of SQLite.
  int write(const void* data, int size, sqlite3_int64 offset);
  // Before anything else is done with the file.
  int flush();

 private:
  sqlite3_file* file_;
  const sqlite3_io_methods* methods_;
  std::string gathered_;
  sqlite3_int64 start_ = 0;  // of what is gathered
  sqlite3_int64 end_ = -1;   // of the last write
  bool last_frame_ = false;  // of a transaction: what was or is being written
};

}  // namespace leat
