// Tells when something changes in a set of folders (inotify, through libuv): no polling.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "loop/loop.h"

namespace leat {

class FolderWatch {
 public:
  using Listener = std::function<void(const std::string& path)>;
  // `changed(path)`: the file at `path` was written to. `moved(path)`: what is at `path` was made,
  // renamed or removed; it may be a watched folder itself.
  FolderWatch(Loop& loop, Listener changed, Listener moved);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches exactly these folders from now on. A folder that was replaced by another of the same
  // name is watched anew. False when one that exists cannot be watched (logged).
  bool watch(const std::set<std::string>& folders);
  // Watches this folder, too, when it is there.
  bool also(const std::string& folder);
  bool watches(const std::string& folder) const { return handles_.contains(folder); }

 private:
  struct Handle;
  bool add(const std::string& folder, uint64_t inode);

  Loop& loop_;
  Listener changed_;
  Listener moved_;
  std::map<std::string, Handle*> handles_;
};

// Tells when one file is written to, under whichever name, also when it has none any more.
class FileWatch {
 public:
  // `path` may be one below /proc/self/fd. A file that cannot be watched is not; nobody is told.
  FileWatch(Loop& loop, const std::string& path, std::function<void()> changed);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace leat
