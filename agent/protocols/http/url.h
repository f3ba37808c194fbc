// The `url` option taken apart (RFC 3986; what of it an HTTP client needs).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace leat::http {

struct Url {
  bool https = false;
  Address address;
  std::string host_header;  // with the port where it is not the scheme's own
  std::string target;       // path and query, encoded, as they go into the request line
  std::string shown;        // for messages: without the query, which may hold a key

  // Errors are kUsage and do not repeat the text, which may hold a password.
  static Result<Url> parse(std::string_view text);
};

}  // namespace leat::http
