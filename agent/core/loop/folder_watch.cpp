#include "loop/folder_watch.h"

#include <sys/stat.h>

#include <utility>

#include "base/log.h"

namespace leat {

struct FolderWatch::Handle {
  uv_fs_event_t event;
  FolderWatch* owner;
  std::string folder;
  uint64_t inode;

  void close() {
    owner = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&event),
             [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
  }
};

FolderWatch::FolderWatch(Loop& loop, Listener changed, Listener moved)
    : loop_(loop), changed_(std::move(changed)), moved_(std::move(moved)) {}

FolderWatch::~FolderWatch() {
  for (auto& [folder, handle] : handles_) handle->close();
}

bool FolderWatch::watch(const std::set<std::string>& folders) {
  for (auto it = handles_.begin(); it != handles_.end();) {
    struct stat info {};
    bool same = folders.contains(it->first) && ::stat(it->first.c_str(), &info) == 0 &&
                info.st_ino == it->second->inode;
    if (same) {
      ++it;
      continue;
    }
    it->second->close();
    it = handles_.erase(it);
  }
  bool all = true;
  for (const std::string& folder : folders) all = also(folder) && all;
  return all;
}

bool FolderWatch::also(const std::string& folder) {
  struct stat info {};
  if (handles_.contains(folder) || ::stat(folder.c_str(), &info) != 0) return true;
  return add(folder, info.st_ino);
}

bool FolderWatch::add(const std::string& folder, uint64_t inode) {
  auto* handle = new Handle{{}, this, folder, inode};
  uv_fs_event_init(loop_.uv(), &handle->event);
  handle->event.data = handle;
  auto on_event = [](uv_fs_event_t* event, const char* name, int events, int status) {
    auto* self = static_cast<Handle*>(event->data);
    if (self->owner == nullptr) return;
    if (status != 0 || name == nullptr) return self->owner->moved_(self->folder);
    std::string path = self->folder == "." ? name : self->folder + "/" + name;
    if (self->folder == "/") path = self->folder + name;
    FolderWatch* owner = self->owner;
    if ((events & UV_RENAME) == 0) return owner->changed_(path);
    // libuv gives a folder that itself was moved or removed its own name.
    std::string own = self->folder;
    if (own.substr(own.rfind('/') + 1) == name) owner->moved_(own);
    owner->moved_(path);
  };
  int code = uv_fs_event_start(&handle->event, on_event, folder.c_str(), 0);
  if (code != 0) {
    log::warn("leat", "watch " + folder + ": " + uv_strerror(code) +
                          "; changes in it are not noticed (raise fs.inotify.max_user_watches?)");
    handle->close();
    return false;
  }
  handles_[folder] = handle;
  return true;
}

struct FileWatch::Handle {
  uv_fs_event_t event;
  std::function<void()> changed;
};

FileWatch::FileWatch(Loop& loop, const std::string& path, std::function<void()> changed)
    : handle_(new Handle{{}, std::move(changed)}) {
  uv_fs_event_init(loop.uv(), &handle_->event);
  handle_->event.data = handle_;
  uv_fs_event_start(
      &handle_->event,
      [](uv_fs_event_t* event, const char*, int, int) {
        auto* self = static_cast<Handle*>(event->data);
        std::function<void()> call = self->changed;  // which may destroy the FileWatch
        if (call) call();
      },
      path.c_str(), 0);
}

FileWatch::~FileWatch() {
  handle_->changed = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->event),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

}  // namespace leat
