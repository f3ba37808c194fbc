// Keys as files at the desk where commands are signed.
#pragma once

#include <string>

#include "base/result.h"
#include "protocols/jws/jws.h"

namespace leat {

// A secret, without the end of its line, or a P-256 key in PEM format. Errors name the file.
Result<jws::Key> read_key_file(const std::string& path);

// A new file that only its owner can read and write, and that is on the disk when this returns.
// Where there is one already it stays as it is, and this fails: it may be in use.
Status write_key_file(const std::string& path, const std::string& text);

}  // namespace leat
