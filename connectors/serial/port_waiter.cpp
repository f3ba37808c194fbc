#include "connectors/serial/port_waiter.h"

#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "base/folder.h"

namespace leat::serial {
namespace {

constexpr Milliseconds kSoon{20};  // what happens at one moment is looked at together
constexpr int kMostLinks = 8;      // a chain longer than that is a circle

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

std::set<std::string> folders_to_watch(const std::string& path) {
  std::set<std::string> folders;
  std::string at = path;
  for (int link = 0; link < kMostLinks; ++link) {
    std::string folder = folder_of(at);
    while (folder != "/" && !is_folder(folder)) folder = folder_of(folder);
    folders.insert(folder);
    char target[PATH_MAX];
    ssize_t size = ::readlink(at.c_str(), target, sizeof target);
    if (size <= 0) break;
    std::string_view text(target, static_cast<size_t>(size));
    at = text[0] == '/' ? std::string(text) : folder_of(at) + "/" + std::string(text);
  }
  return folders;
}

PortWaiter::PortWaiter(Loop& loop, std::string path, std::function<Attempt(bool)> attempt)
    : path_(std::move(path)),
      attempt_(std::move(attempt)),
      folders_(
          loop,
          [this](const std::string&) {
            // Something was written to, or its permissions changed: of interest once it is ours.
            if (::access(path_.c_str(), F_OK) == 0) look_soon();
          },
          [this](const std::string&) { look_soon(); }),
      soon_(loop),
      later_(loop) {}

void PortWaiter::start() {
  delay_.reset();
  look(false);
}

void PortWaiter::start_later() {
  watch();
  look_later();
}

// Watches first: what appears between the two steps is then noticed by one of them.
void PortWaiter::look(bool patient) {
  bool watched = watch();
  Attempt attempt = attempt_(patient);
  if (attempt == Attempt::kOpened) {
    soon_.stop();
    later_.stop();
    folders_.watch({});
    watched_.clear();
  } else if (attempt == Attempt::kRefused || !watched) {
    look_later();
  } else {
    later_.stop();
    delay_.reset();
  }
}

// What cannot be watched is said once, not at each attempt.
bool PortWaiter::watch() {
  std::set<std::string> folders = folders_to_watch(path_);
  if (folders == watched_ && !can_watch_) return false;
  can_watch_ = folders_.watch(folders);
  watched_ = std::move(folders);
  return can_watch_;
}

void PortWaiter::look_soon() {
  if (!soon_.active()) soon_.start(kSoon, [this] { look(false); });
}

void PortWaiter::look_later() {
  if (later_.active()) return;
  later_.start(delay_.next(), [this] { look(true); });
}

}  // namespace leat::serial
