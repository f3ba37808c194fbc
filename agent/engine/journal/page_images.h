// The pages of a journal as they are in its two files, without SQLite: for one that is damaged, or
// whose file has lost its name. The formats: https://sqlite.org/fileformat.html
//
// Thread: any, one at a time. Memory: a few bytes for each page that is in the WAL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/schema.h"

struct sqlite3;

namespace leat {

// A file's size, and its bytes from an offset on; false when they cannot be read.
struct RawFile {
  uint64_t size = 0;
  std::function<bool(uint64_t offset, void* into, size_t bytes)> read;

  static RawFile of_path(const std::string& path);  // empty when there is none
};

// What is in a WAL since it began anew last.
struct WalFrames {
  bool header_damaged = false;  // SQLite then reads none of it: all are `behind`
  // A part of it could not be read: what is said here may be wrong, and right the next time. A
  // frame among those that an earlier round has left is no part of it.
  bool unreadable = false;
  size_t valid = 0;    // those that SQLite reads, up to the last commit before the first bad one
  size_t behind = 0;   // valid ones behind that, up to the last commit
  size_t damaged = 0;  // bad ones before that commit
  size_t loose = 0;    // all that seem to be of this round behind what SQLite reads
  int64_t end_of_valid = 0;            // in the file
  std::map<uint32_t, uint64_t> pages;  // the newest image of each page: where it is in the file
};
// How far: where damage is all there is, what is behind a bad frame was written, and what is in it
// is all that is missing. A power cut takes what was not synced in any order, so behind the first
// bad frame nothing says what came before it.
enum class WalEnd { kLastCommit, kFirstBadFrame };
WalFrames read_frames(const RawFile& wal, WalEnd end = WalEnd::kLastCommit);
// Whether the database has all that is in them. A round of the WAL begins anew, with its header,
// only when that is so of the one before.
Result<bool> are_in_database(const WalFrames& frames, const RawFile& wal, const RawFile& database);

class PageImages {
 public:
  using Page = std::array<uint8_t, kPageSize>;

  PageImages(RawFile database, RawFile wal, WalEnd end = WalEnd::kLastCommit);

  uint32_t count() const { return count_; }
  // The pages whose newest image lies in the WAL at this offset of it, or behind.
  std::vector<uint32_t> newer_than(uint64_t offset) const;
  // Pages are numbered from 1. False when it cannot be read.
  bool read(uint32_t number, Page* page) const;

 private:
  RawFile database_;
  RawFile wal_;
  WalFrames frames_;
  uint32_t count_;
};

}  // namespace leat
