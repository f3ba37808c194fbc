// Tells when something changes in a set of folders (inotify, through libuv): no polling.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace leat {

class FolderWatch {
 public:
  // `changed(path)`: the file at `path` was written to. `moved()`: something in a folder was made,
  // renamed or removed, so the paths must be looked at again.
  FolderWatch(uv_loop_t* loop, std::function<void(const std::string&)> changed,
              std::function<void()> moved);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches exactly these folders from now on. A folder that was replaced by another of the same
  // name is watched anew. False when one that exists cannot be watched (logged).
  bool watch(const std::set<std::string>& folders);

 private:
  struct Handle;
  bool add(const std::string& folder, uint64_t inode);

  uv_loop_t* loop_;
  std::function<void(const std::string&)> changed_;
  std::function<void()> moved_;
  std::map<std::string, Handle*> handles_;
};

}  // namespace leat
