#include "control/process_setup.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "base/folder.h"

namespace leat {

void limit_process_memory() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 512 * 1024);
  mallopt(M_TRIM_THRESHOLD, 512 * 1024);
  ::setenv("UV_THREADPOOL_SIZE", "2", 0);
}

void raise_descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // fewer will do, too
}

Status make_folder(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), slash == std::string::npos ? 0700 : 0750) == 0) {
      // A folder that this user may not read cannot be synced; the disk will get to it.
      (void)sync_folder(folder_of(part));
    } else if (errno != EEXIST) {
      // A full disk may have room later; all else is for a person to mend.
      bool full = means_full(errno);
      auto error = fail_errno("make folder " + part, errno);
      return full ? error : fail(ErrorKind::kUsage, error.value().message());
    }
    if (slash == std::string::npos) return {};
  }
}

}  // namespace leat
