// One TLS connection, without the socket: ciphertext goes through a TlsTransport, so that the
// event loop stays outside of mbedTLS. Internal to net/; connectors use Stream.
//
// Thread: the loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "net/tls.h"

struct mbedtls_ssl_context;
struct mbedtls_x509_crt;

namespace leat {

// Where ciphertext goes to and comes from. Neither call blocks.
class TlsTransport {
 public:
  static constexpr int kBlocked = -1;  // nothing now: try again when the transport has moved
  virtual ~TlsTransport() = default;
  virtual int send(std::span<const unsigned char> bytes) = 0;  // bytes taken, or kBlocked
  virtual int receive(std::span<unsigned char> into) = 0;      // bytes given, or kBlocked
};

class TlsSession {
 public:
  // The largest plaintext of one TLS record (RFC 5246 section 6.2.1).
  static constexpr size_t kRecordSize = 16 * 1024;

  // `host` is the name the connection was made to; TlsOptions' serverName goes before it.
  // `transport` outlives the session.
  static Result<std::unique_ptr<TlsSession>> create(TlsContext& context, const std::string& host,
                                                    TlsTransport& transport);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // True when done; false: call again when the transport has moved. Errors say what is wrong with
  // whose certificate. In TLS 1.3 the server judges the client's certificate after that: read()
  // says.
  Result<bool> handshake();

  // Why the connection may have ended before the handshake did.
  Error cut_short() const;

  // Bytes decrypted into `into`, 0 at the orderly end (close_notify); nullopt: call again when more
  // has arrived.
  Result<std::optional<size_t>> read(std::span<char> into);

  // Bytes taken from `bytes`, at most kRecordSize; 0: call again, with the same bytes, when the
  // transport has moved.
  Result<size_t> write(std::span<const char> bytes);

  // Tells the peer that nothing follows, if the transport takes it.
  void notify_close();

  // Channel binding "tls-server-end-point" (RFC 5929 section 4.1), for SCRAM-SHA-256-PLUS: the hash
  // of the server's certificate. "" when it cannot be had.
  std::string server_end_point() const;

 private:
  TlsSession(TlsContext& context, TlsTransport& transport);
  template <typename Call>
  int make(Call call);
  int verify(mbedtls_x509_crt* certificate, int depth, unsigned* flags);
  tl::unexpected<Error> handshake_error(int code);
  tl::unexpected<Error> alert_error() const;
  bool cipher_settled() const;
  void keep_session();

  const std::shared_ptr<TlsContext::Parts> parts_;
  TlsTransport& transport_;
  bool blocked_ = false;  // the last call of transport_ could not be made
  std::unique_ptr<mbedtls_ssl_context> ssl_;
  std::string name_;        // the server must prove to be this
  std::string ip_address_;  // `name_` as 4 or 16 bytes when it is an IP address, else ""
};

}  // namespace leat
