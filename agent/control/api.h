// What can be asked of a running agent over HTTP, whichever way the request came: the commands
// (control/commands/), and what only HTTP asks:
//
//   GET /metrics                     for Prometheus
//   GET /health                      200, or 503 with what is wrong, a line each
//   GET /ready                       200 when every pipeline has begun
//   GET /api/v1/openapi.json         all that can be asked, in builds with agent.admin
//
// Thread: the main loop's.
#pragma once

#include <memory>

#include "control/commands/command.h"
#include "protocols/http/server.h"

namespace leat {

class Api {
 public:
  // Responders are answered from snapshots, which the targets outlive.
  explicit Api(const control::Targets& targets) : targets_(targets) {}

  void answer(const control::Caller& caller, const http::ServerRequest& request,
              std::shared_ptr<http::Responder> responder);

 private:
  const control::Targets& targets_;
};

}  // namespace leat
