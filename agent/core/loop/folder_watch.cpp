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

FolderWatch::FolderWatch(uv_loop_t* loop, std::function<void(const std::string&)> changed,
                         std::function<void()> moved)
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
  for (const std::string& folder : folders) {
    struct stat info {};
    if (!handles_.contains(folder) && ::stat(folder.c_str(), &info) == 0)
      all = add(folder, info.st_ino) && all;
  }
  return all;
}

bool FolderWatch::add(const std::string& folder, uint64_t inode) {
  auto* handle = new Handle{{}, this, folder, inode};
  uv_fs_event_init(loop_, &handle->event);
  handle->event.data = handle;
  auto on_event = [](uv_fs_event_t* event, const char* name, int events, int status) {
    auto* self = static_cast<Handle*>(event->data);
    if (self->owner == nullptr) return;
    if (status == 0 && (events & UV_RENAME) == 0 && name != nullptr) {
      std::string path = self->folder == "." ? name : self->folder + "/" + name;
      if (self->folder == "/") path = self->folder + name;
      self->owner->changed_(path);
    } else {
      self->owner->moved_();
    }
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

}  // namespace leat
