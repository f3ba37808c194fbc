// Proves to the server who we are, in whichever way it asks for
// (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP).
//
// Thread: the loop's thread. No I/O here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/postgres/scram.h"
#include "protocols/postgres/url.h"

namespace leat::postgres {

// What is known about the connection when the server asks.
struct Channel {
  bool private_line = false;  // TLS, or a Unix socket: a password in clear is safe on it
  bool tls = false;
  std::string end_point;  // for channel binding; "" when there is none
};

// The costly result of the last authentication: the next connection saves it.
struct SaltedPassword {
  SaltedPasswordRequest request;
  std::string value;
};

class Authentication {
 public:
  Authentication(const Url& url, Channel channel, SaltedPassword& cache)
      : url_(url), channel_(std::move(channel)), cache_(cache) {}

  // What is to be done about the body of an 'R' message.
  struct Step {
    std::string reply = {};  // a message to be sent; "": none
    bool done = false;       // AuthenticationOk
    // PBKDF2 is to be computed (on a pool thread) and handed to salted().
    std::optional<SaltedPasswordRequest> hash = {};
  };
  // Errors are kUnavailable: passwords and pg_hba.conf get mended while we try.
  Result<Step> on_request(std::string_view body);
  // The reply once the hash is there.
  Result<std::string> salted(const SaltedPasswordRequest& request, std::string value);

 private:
  Result<Step> plain();
  Result<Step> md5(std::string_view salt);
  Result<Step> choose_mechanism(std::string_view list);
  Result<Step> reply_to_server_first(std::string_view message);
  Status need_password() const;

  const Url& url_;
  const Channel channel_;
  SaltedPassword& cache_;
  std::optional<Scram> scram_;
  bool first_answered_ = false;
  bool verified_ = false;  // the server's signature
};

}  // namespace leat::postgres
