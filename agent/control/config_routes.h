// The configuration over HTTP: read, checked, taken over and taken back.
//
//   GET  /api/v1/config                   that which runs, without secrets
//   GET  /api/v1/config/versions          {"versions":[…]}, the newest first
//   GET  /api/v1/config/versions/N        all that it amounts to, without secrets
//   POST /api/v1/config/check             the body is one: 200, or 422 with what is wrong in it
//   PUT  /api/v1/config                   the same, and it is taken over: 202, on probation
//   POST /api/v1/config/rollback?to=N     an earlier one; without `to`, the last that was good
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>

#include "control/config_manager.h"
#include "protocols/http/server.h"

namespace leat {

// Answers what is asked of the configuration; false when the request is for something else. `who`:
// by which way it came, for the history.
bool answer_of_config(ConfigManager& configs, const std::string& who,
                      const http::ServerRequest& request,
                      const std::shared_ptr<http::Responder>& responder);

}  // namespace leat
