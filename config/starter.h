// A configuration to begin with, out of the option tables.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "stage/registry.h"

namespace leat {

// `chain` is "SOURCE/SINK" or "SOURCE/TRANSFORM,TRANSFORM/SINK". What load_config() takes, with an
// example for what is required, and in comments all other options with their defaults. Whichever of
// these is uncommented, it stays JSON. Fails with kUsage for names that are none.
Result<std::string> starter(const Registry& registry, std::string_view chain);

}  // namespace leat
