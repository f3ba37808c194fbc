// The `url` option taken apart: a connection URL as libpq reads it
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "net/address.h"

namespace leat::postgres {

// https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
enum class SslMode { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };

// channel_binding: whether the password's proof must be tied to the TLS connection.
enum class Binding { kDisable, kPrefer, kRequire };

struct Url {
  Address address;  // with a path: a Unix socket
  std::string user;
  std::string password;
  std::string database;
  std::string application = "leat";
  std::string options;             // command-line options for the server: "-c search_path=plant"
  std::optional<SslMode> sslmode;  // none: not said
  std::string root_certificate;    // sslrootcert
  std::string certificate;         // sslcert
  std::string key;                 // sslkey
  Binding binding = Binding::kPrefer;
  std::optional<Milliseconds> connect_timeout;

  // For messages: without the password and parameters.
  std::string shown() const;

  // Errors are kUsage and do not repeat the text, which may hold a password.
  static Result<Url> parse(std::string_view text);
};

}  // namespace leat::postgres
