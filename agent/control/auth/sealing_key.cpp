#include "control/auth/sealing_key.h"

#include <fcntl.h>
#include <mbedtls/platform_util.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/folder.h"
#include "protocols/jws/jwe.h"

namespace leat::control {
namespace {

constexpr size_t kLongestKey = 4096;  // bytes of the file

std::string path_in(const std::string& data_dir) {
  return data_dir + "/sealing.key";
}

// A new file, whole on the disk.
Status write_file(const std::string& path, const std::string& text) {
  ::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return fail_errno("create " + path, errno);
  ssize_t size = 0;
  do size = ::write(file, text.data(), text.size());
  while (size < 0 && errno == EINTR);
  const bool good = size == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int why = size >= 0 && size < static_cast<ssize_t>(text.size()) ? ENOSPC : errno;
  ::close(file);
  if (good) return {};
  ::unlink(path.c_str());
  return fail_errno("write " + path, why);
}

// Whoever else makes one at the same time: the first stays.
Status make(const std::string& data_dir) {
  Result<P256Key> key = P256Key::make();
  if (!key) return fail(key.error());
  const std::string path = path_in(data_dir);
  const std::string fresh = path + "." + std::to_string(::getpid());
  std::string text = key->private_pem();
  Status written = write_file(fresh, text);
  mbedtls_platform_zeroize(text.data(), text.size());
  if (!written) return written;
  const bool there = ::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST;
  // Some file systems have no second name for a file.
  const bool good = there || ::rename(fresh.c_str(), path.c_str()) == 0;
  const int why = errno;
  if (there) ::unlink(fresh.c_str());
  return good ? sync_folder(data_dir) : Status(fail_errno("create " + path, why));
}

}  // namespace

Result<P256Key> read_sealing_key(const std::string& data_dir) {
  const std::string path = path_in(data_dir);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT)
    return fail(ErrorKind::kUnavailable, "this agent has no key yet (" + path +
                                             "): \"leat keygen --agent\" makes one, and prints "
                                             "the public half");
  if (file < 0) return fail_errno("open " + path, errno);
  std::string text(kLongestKey, '\0');
  const ssize_t size = ::read(file, text.data(), text.size());
  const int why = errno;
  ::close(file);
  if (size < 0) return fail_errno("read " + path, why);
  text.resize(static_cast<size_t>(size));
  Result<P256Key> key = P256Key::from_pem(text);
  mbedtls_platform_zeroize(text.data(), text.size());
  if (!key) return fail(ErrorKind::kUsage, path + ": " + key.error().message());
  if (!key->is_private()) return fail(ErrorKind::kUsage, path + ": is a public key");
  return key;
}

Result<P256Key> sealing_key(const std::string& data_dir) {
  Result<P256Key> key = read_sealing_key(data_dir);
  if (key || ::access(path_in(data_dir).c_str(), F_OK) == 0) return key;
  if (Status made = make(data_dir); !made) return fail(made.error());
  return read_sealing_key(data_dir);
}

Result<std::string> open_sealed(const std::string& data_dir, const std::string& sealed) {
  Result<P256Key> key = read_sealing_key(data_dir);
  if (!key) return fail(key.error());
  return jwe::open(*key, sealed);
}

}  // namespace leat::control
