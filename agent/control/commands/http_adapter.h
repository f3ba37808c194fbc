// The table of commands over HTTP: requests become commands, and answers responses.
//
// 200 with the result; 202 where there is none, or the end is still to come; 400, or 422 where a
// configuration is wrong; 403 forbidden, 404 unknown, 405 for another method, 409 conflict, 503
// unavailable.
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string_view>

#include "control/commands/command.h"
#include "protocols/http/server.h"

namespace leat::control {

// False: the path is of no command.
bool answer_over_http(const Targets& targets, const Caller& caller,
                      const http::ServerRequest& request,
                      const std::shared_ptr<http::Responder>& responder);

// Whether that path shows what is in records or configurations.
bool shows_contents(std::string_view path);

}  // namespace leat::control
