// The key pair of this agent, to whose public half secrets in a configuration from afar are sealed
// (protocols/jws/jwe.h): "${sealed:…}". It is made once, and lies in the data folder: sealing.key,
// in PEM format, for its owner alone.
//
// Thread: any. Blocks for the disk.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/p256.h"

namespace leat::control {

// kUnavailable: there is none yet. Others: it cannot be read, or is none.
Result<P256Key> read_sealing_key(const std::string& data_dir);
// The same, and makes it where there is none. It is on the disk when this returns: what is sealed
// to it must open after a power cut, too.
Result<P256Key> sealing_key(const std::string& data_dir);

// What stands behind "${sealed:". Errors hold nothing of what is in it.
Result<std::string> open_sealed(const std::string& data_dir, const std::string& sealed);

}  // namespace leat::control
