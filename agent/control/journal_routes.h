// The operations on the journal (engine/tools/operations.h), over HTTP, but on the socket only:
// what is spooled is nobody else's to read.
//
//   GET /api/v1/spool?pipeline=P             what only looks
//   POST /api/v1/spool/drop?pipeline=P&all=1 what changes something
//
// Thread: the main loop's.
#pragma once

#include <memory>

#include "control/supervisor.h"
#include "protocols/http/server.h"

namespace leat {

// False: this is another path.
bool answer_of_journal(Supervisor& supervisor, const http::ServerRequest& request,
                       const std::shared_ptr<http::Responder>& responder);

}  // namespace leat
