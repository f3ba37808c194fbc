// Records of a running pipeline as they pass, as the lines of an answer: from the pipeline's loop
// to the main one, and from there to the client. What the client does not take in time is left out,
// and counted.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "control/supervisor.h"
#include "protocols/http/server.h"

namespace leat {

constexpr int kMostTapRate = 1'000;  // lines a second
uint64_t next_tap_id();

// Answers the request, now or later. Of the query: `at`, `where`, `dropped` (1) and `rate`. When
// the client goes the pipeline is let alone. When the pipeline starts anew, a line says so
// ({"restarted":true}), or why there is nothing more to be shown ({"ended":…}); when it runs no
// more, the answer ends.
void stream_tap(Supervisor& supervisor, const std::string& pipeline,
                const http::ServerRequest& request, std::shared_ptr<http::Responder> responder);

}  // namespace leat
