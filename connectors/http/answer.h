// What an HTTP answer means for a delivery.
#pragma once

#include <cstdint>

#include "protocols/http/request.h"
#include "protocols/http/response.h"
#include "stage/sink.h"

namespace leat::http {

// `now_s`: seconds since the Unix epoch, for a Retry-After that is a date.
Answer answer_for(const RequestConfig& config, const Response& response, int64_t now_s);

// What an answer to probe_request() tells: that the server itself speaks, and not what stands
// before it (502, 503, 504), whatever it thinks of the method.
bool proves_health(const Result<Response>& response);

}  // namespace leat::http
