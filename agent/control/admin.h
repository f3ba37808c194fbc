// `agent.admin`: the API over TCP, under TLS or on loopback.
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "control/api.h"
#include "loop/loop.h"
#include "net/listener.h"
#include "net/tls.h"
#include "plan/pipeline_config.h"
#include "protocols/http/server.h"

namespace leat {

// Where what comes by it comes from, in the history of configurations.
inline constexpr std::string_view kOverAdmin = "over agent.admin";

class Admin {
 public:
  // Reads the certificates; it does not listen yet. Errors say why not: the agent goes on without.
  static Result<std::unique_ptr<Admin>> open(Loop& loop, const AdminConfig& config,
                                             const control::Targets& targets);
  const AdminConfig& config() const { return config_; }
  Status listen();
  // Until it is to listen again; who is connected stays so.
  void stop_listening() { listener_.reset(); }

 private:
  Admin(Loop& loop, const AdminConfig& config, std::unique_ptr<TlsContext> tls,
        const control::Targets& targets);
  void accept(Socket::Ptr socket);
  void answer(http::ServerRequest request, std::shared_ptr<http::Responder> responder);

  Loop& loop_;
  const AdminConfig config_;
  std::unique_ptr<TlsContext> tls_;
  Api api_;
  http::Server server_;
  std::unique_ptr<Listener> listener_;
  Milliseconds second_{0};  // that began then, on the loop's clock,
  int accepted_ = 0;        // has brought so many connections
  log::OnceAMinute said_;
};

// Whether a request may be answered, and who sent it. What its role does not allow, the commands
// refuse.
struct Access {
  // 0; or why not, as a status: 401 without a good token, 403 for commands, records and the
  // configuration, which need one, where there are none, or what a page of another site has sent.
  int refusal = 0;
  control::Caller caller = {.who = std::string(kOverAdmin), .role = Role::kRead};
};
Access access_of(const http::ServerRequest& request, const std::vector<AdminToken>& tokens);

}  // namespace leat
