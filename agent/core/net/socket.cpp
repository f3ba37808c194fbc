#include "net/socket.h"

namespace leat {

Socket::Ptr Socket::tcp(uv_loop_t* loop) {
  auto* socket = new Socket;
  // Fails only for flags that are not given here: the descriptor is made by uv_tcp_connect.
  (void)uv_tcp_init(loop, socket->as_tcp());
  return Ptr(socket);
}

Socket::Ptr Socket::pipe(uv_loop_t* loop) {
  auto* socket = new Socket;
  (void)uv_pipe_init(loop, socket->as_pipe(), 0);
  return Ptr(socket);
}

void Socket::close() {
  // The handle is the first and only member, so that its address is this object's.
  static_assert(sizeof(Socket) == sizeof(handle_));
  uv_close(&handle_.handle, [](uv_handle_t* handle) { delete reinterpret_cast<Socket*>(handle); });
}

}  // namespace leat
