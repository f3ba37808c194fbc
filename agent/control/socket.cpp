#include "control/socket.h"

#include <utility>

namespace leat {

std::string socket_path(const std::string& data_dir) {
  return data_dir + "/leat.sock";
}

ControlSocket::ControlSocket(Loop& loop, const control::Targets& targets)
    : api_(targets),
      server_({.loop = loop,
               .handler = [this](http::ServerRequest request,
                                 std::shared_ptr<http::Responder> responder) {
                 api_.answer({.who = "over leat.sock"}, request, std::move(responder));
               }}) {}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(Loop& loop, const std::string& data_dir,
                                                           const control::Targets& targets) {
  std::unique_ptr<ControlSocket> made(new ControlSocket(loop, targets));
  ControlSocket* socket = made.get();
  Result<std::unique_ptr<Listener>> listener = Listener::open(
      loop, {.host = "", .path = socket_path(data_dir)},
      [socket](Socket::Ptr accepted) { socket->server_.accept(std::move(accepted)); });
  if (!listener) return fail(listener.error());
  made->listener_ = std::move(*listener);
  return made;
}

}  // namespace leat
