// The serial ports of this machine, through libserialport.
#pragma once

#include <vector>

#include "base/result.h"
#include "stage/source.h"

namespace leat::serial {

Result<std::vector<PortInfo>> list_ports();

}  // namespace leat::serial
