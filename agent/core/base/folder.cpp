#include "base/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace leat {

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_folder(const std::string& folder) {
  int fd = -1;
  do {
    fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_errno("open " + folder, errno);
  int code = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  // Some file systems cannot sync a folder, and do not need it.
  if (code != 0 && code != EINVAL && code != ENOTSUP) return fail_errno("fsync " + folder, code);
  return {};
}

bool means_full(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT;
}

}  // namespace leat
