#include "control/socket.h"

#include <utility>

#include "control/journal_routes.h"

namespace leat {

std::string socket_path(const std::string& data_dir) {
  return data_dir + "/leat.sock";
}

ControlSocket::ControlSocket(Loop& loop, Supervisor& supervisor, ConfigManager& configs)
    : api_(supervisor, configs, "over leat.sock"),
      server_({.loop = loop,
               .handler = [this, &supervisor](http::ServerRequest request,
                                              std::shared_ptr<http::Responder> responder) {
#ifdef LEAT_TOOLS
                 if (answer_of_journal(supervisor, request, responder)) return;
#else
                 (void)supervisor;
#endif
                 api_.answer(request, std::move(responder));
               }}) {
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(Loop& loop, const std::string& data_dir,
                                                           Supervisor& supervisor,
                                                           ConfigManager& configs) {
  std::unique_ptr<ControlSocket> made(new ControlSocket(loop, supervisor, configs));
  ControlSocket* socket = made.get();
  Result<std::unique_ptr<Listener>> listener = Listener::open(
      loop, {.host = "", .path = socket_path(data_dir)},
      [socket](Socket::Ptr accepted) { socket->server_.accept(std::move(accepted)); });
  if (!listener) return fail(listener.error());
  made->listener_ = std::move(*listener);
  return made;
}

}  // namespace leat
