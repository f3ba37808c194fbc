#include "control/notify_socket.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/text.h"

namespace leat {

Result<NotifyAddress> parse_notify_address(std::string_view text) {
  NotifyAddress out;
  bool abstract = text.starts_with('@');
  if (text.size() < 2 || (!abstract && text[0] != '/'))
    return fail(ErrorKind::kUsage,
                "NOTIFY_SOCKET is \"" + excerpt(text) + "\", known here: \"/path\" and \"@name\"");
  // A path ends with NUL; an abstract name begins with one, and its length is where it ends.
  size_t room = sizeof out.name.sun_path - (abstract ? 0 : 1);
  if (text.size() > room)
    return fail(ErrorKind::kUsage, "NOTIFY_SOCKET is longer than the " + std::to_string(room) +
                                       " bytes that an address has");
  out.name.sun_family = AF_UNIX;
  std::memcpy(out.name.sun_path, text.data(), text.size());
  if (abstract) out.name.sun_path[0] = '\0';
  out.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
  return out;
}

Status send_notification(const NotifyAddress& to, std::string_view message) {
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail_errno("make a socket", errno);
  ssize_t sent = ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&to.name), to.size);
  int error = errno;
  ::close(fd);
  if (sent < 0) return fail_errno("send to NOTIFY_SOCKET", error);
  return {};
}

}  // namespace leat
