// Opens a port as soon as it can be: when it appears, when its permissions are mended, when another
// program lets go of it.
//
// The folder is watched (inotify) as long as the port is not there, so nothing is polled. Only a
// port that is there and cannot be opened is tried again by the clock, after 250 ms and up to every
// 5 s; so is a port in a folder that cannot be watched.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/backoff.h"
#include "loop/folder_watch.h"
#include "loop/handles.h"

namespace leat::serial {

enum class Attempt {
  kOpened,
  kMissing,  // there is no such port now
  kRefused,  // there is, but it cannot be opened
};

// The folders in which something must change before `path` can be opened: where it or, for a link
// (/dev/serial/by-id/…), what it points to lies; of folders that are not there, the nearest above.
std::set<std::string> folders_to_watch(const std::string& path);

class PortWaiter {
 public:
  // `attempt(patient)` tries to open it; `patient` when the reason for failing has lasted a while
  // and is worth telling. It must not destroy the PortWaiter.
  PortWaiter(Loop& loop, std::string path, std::function<Attempt(bool patient)> attempt);

  // Tries at once, and then whenever it may succeed, until it does.
  void start();
  // The same, but the first attempt is not at once: the last one came to nothing.
  void start_later();

 private:
  void look(bool patient);
  void look_soon();
  void look_later();
  bool watch();

  const std::string path_;
  const std::function<Attempt(bool)> attempt_;
  FolderWatch folders_;
  Timer soon_;
  Timer later_;
  DoublingDelay delay_{Milliseconds{250}, Milliseconds{5'000}};
  std::set<std::string> watched_;
  bool can_watch_ = true;
};

}  // namespace leat::serial
