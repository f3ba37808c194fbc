// The host and the port of a URL (RFC 3986 section 3.2), the same for all protocols.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace leat {

// "host", "host:8080", "[::1]" or "[::1]:8080"; without a port, that of `address` stays. Errors are
// kUsage and do not repeat the text: it stands where a password could.
Status parse_authority(std::string_view text, Address& address);

// A port alone, from 1 to 65535. Errors as above.
Status parse_port(std::string_view text, uint16_t& port);

// That it is an IP address, or a name that can be looked up and that every protocol can carry:
// ASCII.
Status check_host(std::string_view host);

}  // namespace leat
