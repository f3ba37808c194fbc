// Until when a certificate is good.
#pragma once

#include <cstdint>
#include <string>

namespace leat {

// The end of those in a PEM file, of which the first to end counts, or, with `last`, the last: of
// authorities one is enough. Microseconds, unix time; 0 when it cannot be read. Blocks for the
// file.
int64_t certificate_end_us(const std::string& path, bool last);

}  // namespace leat
