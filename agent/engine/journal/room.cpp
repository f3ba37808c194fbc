#include "journal/room.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/folder.h"
#include "journal/journal_vfs.h"

namespace leat {
namespace {

constexpr uint64_t kLeast = 128 << 10;
constexpr uint64_t kMost = 1 << 20;
// With less than this a try is not worth its writes.
constexpr uint64_t kWorthATry = 64 << 10;

uint64_t size_for(const std::string& journal) {
  struct statvfs disk {};
  if (::statvfs(folder_of(journal).c_str(), &disk) != 0) return kLeast;
  uint64_t total = static_cast<uint64_t>(disk.f_blocks) * disk.f_frsize;
  return std::clamp(total / 16 / 1024 * 1024, kLeast, kMost);
}

sqlite3_vfs* vfs() {
  return sqlite3_vfs_find(journal_vfs());
}

// Nothing that a file system which compresses could make small.
void scramble(std::array<char, 4096>& block, uint64_t& state) {
  for (size_t at = 0; at < block.size(); at += sizeof state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(block.data() + at, &state, sizeof state);
  }
}

// By SQLite's files, so that it counts as what the journal writes.
bool write_file(const std::string& path, uint64_t size) {
  std::vector<char> memory(static_cast<size_t>(vfs()->szOsFile));
  auto* file = reinterpret_cast<sqlite3_file*>(memory.data());
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_SUPER_JOURNAL;
  if (vfs()->xOpen(vfs(), path.c_str(), file, kFlags, nullptr) != SQLITE_OK) return false;
  std::array<char, 4096> block{};
  uint64_t state = 0x9E3779B97F4A7C15;
  bool done = true;
  for (uint64_t at = 0; at < size && done; at += block.size()) {
    scramble(block, state);
    int bytes = static_cast<int>(std::min<uint64_t>(block.size(), size - at));
    done = file->pMethods->xWrite(file, block.data(), bytes, static_cast<sqlite3_int64>(at)) ==
           SQLITE_OK;
  }
  file->pMethods->xClose(file);
  return done;
}

}  // namespace

Room::Room(const std::string& journal)
    : path_(journal + ".reserve"),
      free_on_disk_([folder = folder_of(journal)] {
        struct statvfs disk {};
        if (::statvfs(folder.c_str(), &disk) != 0) return UINT64_MAX;
        return static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
      }),
      size_(size_for(journal)) {
  struct stat info {};
  reserved_ = ::stat(path_.c_str(), &info) == 0 && static_cast<uint64_t>(info.st_size) >= size_;
}

bool Room::admits(uint64_t bytes, uint64_t free_inside, int64_t now_us) {
  if (!rows_.due(now_us)) return false;
  bool worth = reserved_ ? !rows_.failing() || free_on_disk_() >= kWorthATry : lay();
  if (worth || free_inside >= bytes + kWorthATry) return true;
  rows_.failed(now_us);
  return false;
}

bool Room::admits_positions(int64_t now_us) {
  if (!positions_.due(now_us)) return false;
  if (!positions_.failing() || reserved_ || free_on_disk_() >= kWorthATry) return true;
  positions_.failed(now_us);
  return false;
}

void Room::succeeded(bool rows) {
  positions_ = {};
  if (rows) rows_ = {};
}

bool Room::lay() {
  if (free_on_disk_() < size_ + kWorthATry) return false;
  reserved_ = write_file(path_, size_);
  if (!reserved_) vfs()->xDelete(vfs(), path_.c_str(), 0);
  return reserved_;
}

bool Room::release() {
  if (!reserved_) return false;
  reserved_ = false;
  return vfs()->xDelete(vfs(), path_.c_str(), 0) == SQLITE_OK;
}

}  // namespace leat
