// The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), with the channel
// binding tls-server-end-point (RFC 5929). No I/O here: the messages go in and out as text.
//
// The costly part, PBKDF2, is a function of its own so that it can run on a pool thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::postgres {

// What PBKDF2 is asked for; the same for each connection to the same server.
struct SaltedPasswordRequest {
  std::string password;
  std::string salt;
  uint32_t iterations = 0;
  bool operator==(const SaltedPasswordRequest&) const = default;
};

// Hi() of RFC 5802 section 2.2. Any thread; takes a while. "" when it fails (no memory).
std::string salted_password(const SaltedPasswordRequest& request);

// RFC 4013, of what passwords need: blanks of any kind become U+0020, and characters that are
// commonly mapped to nothing go. There is no NFKC normalization.
std::string prepared_password(std::string_view password);

class Scram {
 public:
  // How many rounds of PBKDF2 we do for a server: the default is 4,096, and a hostile one could
  // keep a small CPU busy for hours.
  static constexpr uint32_t kMostIterations = 1'000'000;

  // What the client says about channel binding (gs2-cbind-flag, RFC 5802 section 7).
  enum class Flag {
    kNone,         // "n": it cannot
    kServerLacks,  // "y": it could, but the server did not offer it. A server that did knows then
                   // that somebody took the offer away.
    kUsed,         // "p"
  };

  // `end_point`: hash of the server's certificate, for kUsed. `nonce`: printable, without commas.
  Scram(std::string password, Flag flag, std::string end_point, std::string nonce);

  // "SCRAM-SHA-256-PLUS" or "SCRAM-SHA-256".
  std::string_view mechanism() const;
  std::string client_first() const;
  // Reads the server's first message; says what PBKDF2 is to work on.
  Result<SaltedPasswordRequest> server_first(std::string_view message);
  // The client's last message, with the proof.
  std::string client_final(const std::string& salted);
  // Whether the server knows the password, too. Errors say why not.
  Status server_final(std::string_view message) const;

 private:
  std::string header() const;  // gs2-header

  const std::string password_;
  const Flag flag_;
  const std::string end_point_;
  const std::string nonce_;
  std::string server_first_;
  std::string server_nonce_;
  std::string server_signature_;
};

}  // namespace leat::postgres
