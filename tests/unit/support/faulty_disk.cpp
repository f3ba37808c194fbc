#include "support/faulty_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <string_view>
#include <vector>

namespace leat::testing {
namespace {

namespace fs = std::filesystem;

struct Change {
  uint64_t offset;
  std::string data;
  bool truncates = false;  // to `offset`
};

// One inode.
struct File {
  std::string durable;          // what has reached the disk
  bool named = false;           // its name has, too
  uint64_t size = 0;            // as SQLite sees it
  std::vector<Change> pending;  // not synced yet, in order
};

void apply(std::string& content, const Change& change) {
  if (change.truncates) {
    content.resize(static_cast<size_t>(change.offset));
    return;
  }
  size_t end = static_cast<size_t>(change.offset) + change.data.size();
  if (content.size() < end) content.resize(end);
  content.replace(static_cast<size_t>(change.offset), change.data.size(), change.data);
}

// Writes only some of its sectors.
void apply_some(std::string& content, const Change& change, std::mt19937_64& random) {
  if (change.truncates) {
    if (random() % 2 == 0) apply(content, change);
    return;
  }
  uint64_t end = change.offset + change.data.size();
  for (uint64_t at = change.offset; at < end;) {
    uint64_t next = std::min(end, (at / FaultyDisk::kSector + 1) * FaultyDisk::kSector);
    if (random() % 2 == 0)
      apply(content, {at, change.data.substr(static_cast<size_t>(at - change.offset),
                                             static_cast<size_t>(next - at))});
    at = next;
  }
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int usual_code(DiskCall call) {
  switch (call) {
    case DiskCall::kOpen:
      return SQLITE_CANTOPEN;
    case DiskCall::kRead:
      return SQLITE_IOERR_READ;
    case DiskCall::kWrite:
      return SQLITE_IOERR_WRITE;
    case DiskCall::kTruncate:
      return SQLITE_IOERR_TRUNCATE;
    case DiskCall::kSync:
      return SQLITE_IOERR_FSYNC;
    case DiskCall::kLock:
      return SQLITE_BUSY;
    case DiskCall::kDelete:
      return SQLITE_IOERR_DELETE;
  }
  return SQLITE_IOERR;
}

// SQLite asks for it when it words an error.
int failed_with(int code) {
  errno = code == SQLITE_FULL ? ENOSPC : (code & 0xFF) == SQLITE_CANTOPEN ? EACCES : EIO;
  return code;
}

}  // namespace

const char* to_string(DiskCall call) {
  static constexpr const char* kNames[] = {"open", "read", "write", "truncate",
                                           "sync", "lock", "delete"};
  return kNames[static_cast<int>(call)];
}

struct FaultyDisk::State {
  mutable std::mutex mutex;
  std::string folder;
  std::map<ino_t, std::shared_ptr<File>> files;
  std::vector<DiskFault> faults;
  std::map<DiskCall, std::function<void()>> hooks;
  std::optional<uint64_t> capacity;
  uint64_t generation = 0;  // handles of earlier ones are dead
  Counters counters;

  uint64_t used() const {
    uint64_t sum = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.is_regular_file()) sum += entry.file_size();
    return sum;
  }

  std::function<void()> hook(DiskCall call) {
    std::lock_guard lock(mutex);
    auto found = hooks.find(call);
    return found == hooks.end() ? nullptr : found->second;
  }

  // The fault that this call meets.
  std::optional<DiskFault> meets(DiskCall call, std::string_view path) {
    std::optional<DiskFault> met;
    for (DiskFault& fault : faults) {
      if (fault.call != call || !path.ends_with(fault.file) || fault.times == 0) continue;
      if (fault.nth > 1) {
        --fault.nth;
      } else if (!met) {
        met = fault;
        if (fault.times != DiskFault::kForEver) --fault.times;
      }
    }
    if (met) {
      ++counters.failed[call];
      if (met->code == 0) met->code = usual_code(call);
    }
    return met;
  }
};

namespace {

using State = FaultyDisk::State;

// Stands before the file object of the real VFS.
struct Handle {
  sqlite3_file base;
  struct Open {
    std::shared_ptr<State> disk;  // null: not on such a disk
    std::shared_ptr<File> file;
    std::string path;
    uint64_t generation = 0;
    bool dead() const { return disk != nullptr && generation != disk->generation; }
  };
  Open* open;
};

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  return vfs;
}

constexpr int kHandleSize = (sizeof(Handle) + 15) / 16 * 16;

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kHandleSize);
}

Handle::Open& open_of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file)->open;
}

std::mutex g_disks_mutex;
std::vector<std::shared_ptr<State>> g_disks;

std::shared_ptr<State> disk_of(const char* path) {
  if (path == nullptr) return nullptr;  // a temporary file
  std::lock_guard lock(g_disks_mutex);
  for (const std::shared_ptr<State>& disk : g_disks)
    if (std::string_view(path).starts_with(disk->folder + "/")) return disk;
  return nullptr;
}

// Runs `work` on a living file of a disk, under its lock; counts it when it works.
template <typename Work>
int guarded(sqlite3_file* file, DiskCall call, Work work) {
  Handle::Open& open = open_of(file);
  if (open.disk == nullptr) return work(nullptr);
  if (std::function<void()> hook = open.disk->hook(call)) hook();
  std::lock_guard lock(open.disk->mutex);
  if (open.dead()) return failed_with(SQLITE_IOERR);
  std::optional<DiskFault> fault = open.disk->meets(call, open.path);
  int code = work(fault ? &*fault : nullptr);
  if (code == SQLITE_OK) ++open.disk->counters.calls[call];
  return code;
}

int close_file(sqlite3_file* file) {
  int code = real(file)->pMethods->xClose(real(file));
  delete reinterpret_cast<Handle*>(file)->open;
  return code;
}

int read_file(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  return guarded(file, DiskCall::kRead, [&](const DiskFault* fault) {
    if (fault != nullptr) return failed_with(fault->code);
    return real(file)->pMethods->xRead(real(file), out, size, offset);
  });
}

// Writes the first `size` bytes, and remembers them as not synced.
int write_part(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (size == 0) return SQLITE_OK;
  int code = real(file)->pMethods->xWrite(real(file), data, size, offset);
  if (code != SQLITE_OK) return code;
  Handle::Open& open = open_of(file);
  auto length = static_cast<size_t>(size);
  auto at = static_cast<uint64_t>(offset);
  open.file->pending.push_back({at, std::string(static_cast<const char*>(data), length)});
  open.file->size = std::max<uint64_t>(open.file->size, at + length);
  open.disk->counters.bytes_written += length;
  return SQLITE_OK;
}

int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  Handle::Open& open = open_of(file);
  return guarded(file, DiskCall::kWrite, [&](const DiskFault* fault) {
    if (open.disk == nullptr) return real(file)->pMethods->xWrite(real(file), data, size, offset);
    if (fault != nullptr) {
      write_part(file, data, std::min(size, static_cast<int>(fault->keep)), offset);
      return failed_with(fault->code);
    }
    uint64_t end = static_cast<uint64_t>(offset) + static_cast<uint64_t>(size);
    State& disk = *open.disk;
    if (disk.capacity && end > open.file->size) {
      uint64_t used = disk.used();
      uint64_t free = *disk.capacity > used ? *disk.capacity - used : 0;
      uint64_t missing = end - open.file->size > free ? end - open.file->size - free : 0;
      if (missing > 0) {
        int fits =
            size - static_cast<int>(std::min<uint64_t>(missing, static_cast<uint64_t>(size)));
        write_part(file, data, fits, offset);
        ++disk.counters.full;
        ++disk.counters.failed[DiskCall::kWrite];
        return failed_with(SQLITE_FULL);
      }
    }
    return write_part(file, data, size, offset);
  });
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Handle::Open& open = open_of(file);
  return guarded(file, DiskCall::kTruncate, [&](const DiskFault* fault) {
    if (fault != nullptr) return failed_with(fault->code);
    int code = real(file)->pMethods->xTruncate(real(file), size);
    if (code != SQLITE_OK || open.disk == nullptr) return code;
    open.file->pending.push_back({static_cast<uint64_t>(size), {}, true});
    open.file->size = static_cast<uint64_t>(size);
    return code;
  });
}

// Nothing here waits for a real disk: what is durable is what is kept in memory.
int sync_file(sqlite3_file* file, int flags) {
  Handle::Open& open = open_of(file);
  return guarded(file, DiskCall::kSync, [&](const DiskFault* fault) {
    if (open.disk == nullptr) return real(file)->pMethods->xSync(real(file), flags);
    if (fault == nullptr) {
      for (const Change& change : open.file->pending) apply(open.file->durable, change);
      open.file->named = true;
    }
    open.file->pending.clear();
    return fault == nullptr ? SQLITE_OK : failed_with(fault->code);
  });
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

int lock_file(sqlite3_file* file, int level) {
  return guarded(file, DiskCall::kLock, [&](const DiskFault* fault) {
    if (fault != nullptr) return failed_with(fault->code);
    return real(file)->pMethods->xLock(real(file), level);
  });
}

int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}

int check_lock(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

int control_file(sqlite3_file* file, int op, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), op, argument);
}

int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}

int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

// Shared memory is a file of its own that the real VFS makes, without xWrite: it needs room, too.
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  Handle::Open& open = open_of(file);
  if (open.disk != nullptr) {
    std::lock_guard lock(open.disk->mutex);
    if (open.dead()) return failed_with(SQLITE_IOERR);
    std::error_code none;
    uint64_t there = fs::file_size(open.path + "-shm", none);
    if (none) there = 0;
    auto end = static_cast<uint64_t>(page + 1) * static_cast<uint64_t>(size);
    if (open.disk->capacity && extend != 0 && end > there &&
        open.disk->used() + end - there > *open.disk->capacity) {
      ++open.disk->counters.full;
      errno = ENOSPC;
      return SQLITE_IOERR_SHMSIZE;
    }
  }
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

int lock_shared(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

void barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}

int unmap_shared(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

int fetch(sqlite3_file* /*file*/, sqlite3_int64 /*offset*/, int /*size*/, void** out) {
  *out = nullptr;  // no memory mapping: xRead then
  return SQLITE_OK;
}

int unfetch(sqlite3_file* /*file*/, sqlite3_int64 /*offset*/, void* /*data*/) {
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {3,
                                         close_file,
                                         read_file,
                                         write_file,
                                         truncate_file,
                                         sync_file,
                                         size_of_file,
                                         lock_file,
                                         unlock_file,
                                         check_lock,
                                         control_file,
                                         sector_size,
                                         characteristics,
                                         map_shared,
                                         lock_shared,
                                         barrier,
                                         unmap_shared,
                                         fetch,
                                         unfetch};

// The record of the file just opened; `existed`: before it was.
std::shared_ptr<File> record_of(State& disk, const char* path, sqlite3_file* opened, bool existed) {
  struct stat info {};
  if (::stat(path, &info) != 0) return std::make_shared<File>();
  std::shared_ptr<File>& known = disk.files[info.st_ino];
  auto size = static_cast<uint64_t>(info.st_size);
  if (known != nullptr && existed && known->size == size) return known;
  known = std::make_shared<File>();  // another file under a number that is used again, or the first
  known->named = existed;
  known->size = size;
  known->durable.resize(static_cast<size_t>(size));
  // By the handle there is: closing a second one would drop the locks of the first.
  if (size > 0) opened->pMethods->xRead(opened, known->durable.data(), static_cast<int>(size), 0);
  return known;
}

int open_file(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags,
              int* out_flags) {
  file->pMethods = nullptr;
  auto open = std::make_unique<Handle::Open>();
  open->disk = disk_of(name);
  std::unique_lock<std::mutex> lock;
  if (open->disk != nullptr) {
    lock = std::unique_lock(open->disk->mutex);
    open->path = name;
    open->generation = open->disk->generation;
    if (std::optional<DiskFault> fault = open->disk->meets(DiskCall::kOpen, open->path))
      return failed_with(fault->code);
  }
  bool existed = open->disk != nullptr && ::access(name, F_OK) == 0;
  int code = real_vfs()->xOpen(real_vfs(), name, real(file), flags, out_flags);
  if (real(file)->pMethods == nullptr) return code;
  if (open->disk != nullptr) {
    ++open->disk->counters.calls[DiskCall::kOpen];
    open->file = record_of(*open->disk, name, real(file), existed);
  }
  reinterpret_cast<Handle*>(file)->open = open.release();
  file->pMethods = &kMethods;
  return code;
}

int delete_file(sqlite3_vfs* /*vfs*/, const char* name, int sync_folder) {
  if (std::shared_ptr<State> disk = disk_of(name)) {
    std::lock_guard lock(disk->mutex);
    if (std::optional<DiskFault> fault = disk->meets(DiskCall::kDelete, name))
      return failed_with(fault->code);
    ++disk->counters.calls[DiskCall::kDelete];
  }
  return real_vfs()->xDelete(real_vfs(), name, sync_folder);
}

// Before main(): whoever asks for the default VFS first finds this one.
const int g_registered = [] {
  static sqlite3_vfs vfs = *real_vfs();
  vfs.zName = "faulty";
  vfs.szOsFile = kHandleSize + real_vfs()->szOsFile;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.pNext = nullptr;
  return sqlite3_vfs_register(&vfs, 1);
}();

}  // namespace

FaultyDisk::FaultyDisk(std::string folder) : state_(std::make_shared<State>()) {
  state_->folder = std::move(folder);
  std::lock_guard lock(g_disks_mutex);
  g_disks.push_back(state_);
}

FaultyDisk::~FaultyDisk() {
  std::lock_guard lock(g_disks_mutex);
  std::erase(g_disks, state_);
}

void FaultyDisk::fail(DiskFault fault) {
  std::lock_guard lock(state_->mutex);
  state_->faults.push_back(std::move(fault));
}

void FaultyDisk::before(DiskCall call, std::function<void()> hook) {
  std::lock_guard lock(state_->mutex);
  state_->hooks[call] = std::move(hook);
}

void FaultyDisk::mend() {
  std::lock_guard lock(state_->mutex);
  state_->faults.clear();
}

void FaultyDisk::set_capacity(std::optional<uint64_t> bytes) {
  std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

uint64_t FaultyDisk::used() const {
  std::lock_guard lock(state_->mutex);
  return state_->used();
}

uint64_t FaultyDisk::free() const {
  std::lock_guard lock(state_->mutex);
  if (!state_->capacity) return uint64_t{1} << 40;
  uint64_t used = state_->used();
  return *state_->capacity > used ? *state_->capacity - used : 0;
}

void FaultyDisk::kill() {
  std::lock_guard lock(state_->mutex);
  ++state_->generation;
}

void FaultyDisk::cut_power(Unsynced unsynced, uint64_t seed) {
  std::lock_guard lock(state_->mutex);
  ++state_->generation;
  std::mt19937_64 random(seed);
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(state_->folder))
    paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());  // a seed means the same everywhere
  // What shows that the machine was started since: the id of its boot, or the time of the files.
  bool noted = std::any_of(paths.begin(), paths.end(),
                           [](const std::string& path) { return path.ends_with(".boot"); });
  bool clocks_tell = !noted || state_->generation % 2 == 0;
  for (const std::string& path : paths) {
    struct stat info {};
    if (path.ends_with(".boot")) {
      ::unlink(path.c_str());
      if (!clocks_tell) std::ofstream(path) << "another boot";
      continue;
    }
    auto known =
        ::stat(path.c_str(), &info) == 0 ? state_->files.find(info.st_ino) : state_->files.end();
    if (known == state_->files.end()) continue;
    File& file = *known->second;
    if (!file.named &&
        (unsynced == Unsynced::kLost || (unsynced == Unsynced::kSome && random() % 2 == 0))) {
      ::unlink(path.c_str());
      state_->files.erase(known);
      continue;
    }
    for (const Change& change : file.pending) {
      if (unsynced == Unsynced::kKept) apply(file.durable, change);
      if (unsynced == Unsynced::kSome) apply_some(file.durable, change, random);
    }
    file.pending.clear();
    file.named = true;
    file.size = file.durable.size();
    std::ofstream(path, std::ios::binary) << file.durable;
    if (clocks_tell) {
      const struct timespec before_the_cut[2] = {{1, 0}, {1, 0}};
      ::utimensat(AT_FDCWD, path.c_str(), before_the_cut, 0);
    }
  }
}

void FaultyDisk::flip_bit(const std::string& file, uint64_t bit) {
  std::string byte = content_of(file).substr(static_cast<size_t>(bit / 8), 1);
  if (byte.empty()) return;
  byte[0] = static_cast<char>(byte[0] ^ (1 << (bit % 8)));
  overwrite(file, bit / 8, byte);
}

void FaultyDisk::overwrite(const std::string& file, uint64_t offset, const std::string& bytes) {
  std::lock_guard lock(state_->mutex);
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(offset));
  out << bytes;
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return;
  auto known = state_->files.find(info.st_ino);
  if (known == state_->files.end()) return;
  apply(known->second->durable, {offset, bytes});
  known->second->size = std::max<uint64_t>(known->second->size, offset + bytes.size());
}

FaultyDisk::Counters FaultyDisk::counters() const {
  std::lock_guard lock(state_->mutex);
  return state_->counters;
}

}  // namespace leat::testing
