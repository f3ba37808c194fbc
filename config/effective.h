// The configuration that files amount to: with all defaults, and without what must not be shown.
#pragma once

#include <span>
#include <string>

#include "config/json.h"
#include "config/loader.h"

namespace leat {

// One JSON object, which load_config() takes again. Variables are replaced, secrets are "***".
// `files` are those that load_config() has made `config` of. Objects that mean something by being
// there (`tls`, `auth`) are only in it when they were given.
std::string effective_config(std::span<const ConfigFile> files, const LoadContext& context,
                             const AgentConfig& config);

}  // namespace leat
