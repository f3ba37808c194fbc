#include "base/folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
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

Status check_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0) return {};
  return fail_errno("open " + folder, errno);
}

Status can_make_files(const std::string& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return fail_errno("write in " + folder, errno);
  // To root that is always so, also where the kernel makes the files (/proc).
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  const int why = errno;
  struct statfs system {};
  const bool of_kernel = ::statfs(folder.c_str(), &system) == 0 &&
                         (system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC);
  // Other file systems have no files without a name, and say nothing by this.
  if (why == EROFS || why == EACCES || of_kernel)
    return fail_errno("write in " + folder, of_kernel ? EACCES : why);
  return {};
}

bool means_full(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT;
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
