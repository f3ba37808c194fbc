// What the options of the connection mean, for source and sink.
#pragma once

#include "base/result.h"
#include "options/options.h"
#include "protocols/mqtt/session.h"

namespace leat::mqtt {

// As session_config(), with the will.
Result<SessionConfig> connector_session(const Options& options);

}  // namespace leat::mqtt
