// What `leat ports` prints.
#pragma once

#include <span>
#include <string>

#include "stage/source.h"

namespace leat {

// A line for each port, in columns under a heading; a column that no port has anything in is left
// out. Control characters, which a device may have in its name, are escaped. Without ports, a line
// that says so.
std::string ports_table(std::span<const PortInfo> ports);

}  // namespace leat
