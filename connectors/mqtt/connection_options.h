// What the options of the connection mean, for source and sink.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"
#include "protocols/mqtt/session.h"

namespace leat::mqtt {

// Errors are of OptionErrors. The client id is left as it was given.
Result<SessionConfig> session_config(const Options& options);

// As SourceType::check_files.
Status check_files(const Options& options);

// The client id where none was given. The same after each restart, since the broker finds the
// session by it.
std::string default_client_id(std::string_view agent, std::string_view pipeline,
                              std::string_view suffix);

}  // namespace leat::mqtt
