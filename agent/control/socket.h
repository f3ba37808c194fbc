// The socket in the data folder by which the commands of this machine speak to the agent.
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>

#include "control/api.h"
#include "loop/loop.h"
#include "net/listener.h"
#include "protocols/http/server.h"

namespace leat {

// "DATA_DIR/leat.sock"
std::string socket_path(const std::string& data_dir);

class ControlSocket {
 public:
  // Listens; the journal's lock has shown that no other agent has this data folder. Errors say why
  // not: the agent goes on without.
  static Result<std::unique_ptr<ControlSocket>> open(Loop& loop, const std::string& data_dir,
                                                     const control::Targets& targets);

 private:
  ControlSocket(Loop& loop, const control::Targets& targets);

  Api api_;
  http::Server server_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace leat
