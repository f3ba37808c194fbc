#include "net/socket.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/folder.h"

namespace leat {

SocketPath::SocketPath(const std::string& path) : text_(path) {
  if (fits()) return;
  folder_ = open(folder_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder_ >= 0)
    text_ = "/proc/self/fd/" + std::to_string(folder_) + "/" + path.substr(path.rfind('/') + 1);
}

SocketPath::~SocketPath() {
  if (folder_ >= 0) close(folder_);
}

bool SocketPath::fits() const {
  return text_.size() < sizeof(sockaddr_un::sun_path);
}

Socket::Ptr Socket::tcp(Loop& loop) {
  auto* socket = new Socket;
  // Fails only for flags that are not given here: the descriptor is made by uv_tcp_connect.
  (void)uv_tcp_init(loop.uv(), socket->as_tcp());
  return Ptr(socket);
}

Socket::Ptr Socket::pipe(Loop& loop) {
  auto* socket = new Socket;
  (void)uv_pipe_init(loop.uv(), socket->as_pipe(), 0);
  return Ptr(socket);
}

void Socket::close() {
  // The handle is the first and only member, so that its address is this object's.
  static_assert(sizeof(Socket) == sizeof(handle_));
  uv_close(&handle_.handle, [](uv_handle_t* handle) { delete reinterpret_cast<Socket*>(handle); });
}

}  // namespace leat
