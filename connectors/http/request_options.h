// What the options of the sink say about its requests.
#pragma once

#include "base/result.h"
#include "options/options.h"
#include "protocols/http/request.h"

namespace leat::http {

// `options` are kSinkOptions. Errors are kUsage and begin with the config path.
Result<RequestConfig> request_config(const Options& options);

}  // namespace leat::http
