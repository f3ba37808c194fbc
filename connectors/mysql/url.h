// The `url` option taken apart: mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl-mode=VERIFY_IDENTITY.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace leat::mysql {

// Of the names of MySQL's own programs; PREFERRED, which goes without TLS when somebody on the way
// says so, is not among them.
// https://dev.mysql.com/doc/refman/8.0/en/connection-options.html#option_general_ssl-mode
enum class SslMode { kDisabled, kRequired, kVerifyCa, kVerifyIdentity };

struct Url {
  Address address;  // with a path: a Unix socket
  std::string user;
  std::string password;
  std::string database;
  std::optional<SslMode> ssl_mode;  // none: not said

  // For messages: without the password and parameters.
  std::string shown() const;

  // Errors are kUsage and do not repeat the text, which may hold a password.
  static Result<Url> parse(std::string_view text);
};

}  // namespace leat::mysql
