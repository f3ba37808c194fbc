// Room on the disk for the journal: the reserve that the way out of "full" needs, and when it is
// worth trying again what failed for want of room.
//
// What frees room needs some itself: a row that is removed is first written to the WAL, and the WAL
// goes into the database, which may have to grow for that. So rows are only added while a file
// beside the journal, "<journal>.reserve", keeps that much; it goes when it is needed, and is made
// again when there is room.
//
// Thread: one. Nothing here is ever needed to read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/backoff.h"

namespace leat {

// Tries of what writes even when it fails: 1 to 60 s lie between them while they do.
class SpacedTries {
 public:
  bool due(int64_t now_us) const { return !failing() || now_us >= not_before_us_; }
  bool failing() const { return !delay_.is_first(); }
  void failed(int64_t now_us) { not_before_us_ = now_us + delay_.next().count() * 1000; }
  void at_once() { not_before_us_ = 0; }

 private:
  DoublingDelay delay_{Milliseconds{1'000}, Milliseconds{60'000}};
  int64_t not_before_us_ = 0;
};

class Room {
 public:
  explicit Room(const std::string& journal);

  // For tests: who says what is free on the disk, instead of statvfs().
  void ask(std::function<uint64_t()> free_on_disk) { free_on_disk_ = std::move(free_on_disk); }
  // Bytes of the reserve: a 16th of the partition, from 128 KiB to 1 MiB.
  uint64_t size() const { return size_; }
  bool reserved() const { return reserved_; }
  uint64_t free_on_disk() const { return free_on_disk_(); }

  // Whether rows of so many bytes may be added now. `free_inside`: what the database has for them
  // without growing. False means: not before something changes, and not before the wait is over
  // that each failure has doubled (1 to 60 s). Writes nothing but the reserve.
  bool admits(uint64_t bytes, uint64_t free_inside, int64_t now_us);
  // Whether anything may be written now; false after positions, too, found no room.
  bool admits_positions(int64_t now_us);
  // The reserve is given up. False when there was none.
  bool release();

  void rows_failed(int64_t now_us) { rows_.failed(now_us); }
  void positions_failed(int64_t now_us) { positions_.failed(now_us); }
  void succeeded(bool rows);
  void rows_were_removed() { rows_.at_once(); }

 private:
  bool lay();

  std::string path_;
  std::function<uint64_t()> free_on_disk_;
  uint64_t size_;
  bool reserved_ = false;
  SpacedTries rows_;
  SpacedTries positions_;
};

}  // namespace leat
