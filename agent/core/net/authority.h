// The parts of a URL, and of these the authority, "user:password@host:port" (RFC 3986 section 3.2),
// the same for all protocols. Errors are kUsage and do not repeat the text: a password could stand
// in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "net/address.h"

namespace leat {

// "scheme://authority/path?query", with %XX as they are. What is not there is "".
struct UrlParts {
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;  // without the "/" before it
  std::string_view query;
};
Result<UrlParts> split_url(std::string_view text);

// Takes "name=value" from the front of `query`, with %XX decoded.
Result<std::pair<std::string, std::string>> take_parameter(std::string_view& query);

// The authority's parts, with %XX decoded.
struct Authority {
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::string host;       // an IPv6 address without its brackets; "" when there is none
  std::string_view port;  // of the text, and not yet looked at; "" when there is none
};

// An IPv6 address stands in brackets, and nothing else does; before its zone "%25" and, as many
// write it, "%" are the same (RFC 6874). What else the host may be is not checked.
Result<Authority> split_authority(std::string_view text);

// For a URL that holds no user: "host", "host:8080", "[::1]" or "[::1]:8080". Without a port, that
// of `address` stays.
Status parse_authority(std::string_view text, Address& address);

// A port alone, from 1 to 65535.
Status parse_port(std::string_view text, uint16_t& port);

// That it is an IP address, or a name that can be looked up (RFC 1035 section 2.3.4) and that every
// protocol can carry: ASCII.
Status check_host(std::string_view host);

// Whether it is this machine, by what is written; no name is looked up.
bool is_loopback(std::string_view host);

// `part` is what the error is about ("its password has a …").
Result<std::string> percent_decoded(std::string_view text, std::string_view part);

// For any part of a URL, whatever is in it: all but the unreserved characters (RFC 3986 section
// 2.3) as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace leat
