#include "cli/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "config/config_files.h"

namespace leat {
namespace {

// What was begun and could not be finished is no key.
tl::unexpected<Error> give_up(int file, const std::string& path) {
  const int why = errno;
  ::close(file);
  ::unlink(path.c_str());
  return fail_errno("write " + path, why);
}

}  // namespace

Result<jws::Key> read_key_file(const std::string& path) {
  Result<std::string> text = read_text(path);
  if (!text) return fail(text.error());
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  const bool is_pem = text->find("-----BEGIN ") != std::string::npos;
  Result<jws::Key> key = is_pem ? jws::Key::es256(*text) : jws::Key::secret(std::move(*text));
  if (!key) return fail(key.error().kind(), path + ": " + key.error().message());
  return key;
}

Status write_key_file(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return fail_errno("create " + path, errno);
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(file, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return give_up(file, path);
    at += static_cast<size_t>(n);
  }
  if (::fsync(file) != 0) return give_up(file, path);
  ::close(file);
  return {};
}

}  // namespace leat
