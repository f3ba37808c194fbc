// The mbedTLS objects behind a TlsContext. Only tls*.cpp see them.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <string>

#include "net/tls.h"

namespace leat {

// What was read of the files at one time. Sessions share it, so that files read again later are for
// new connections.
struct TlsContext::Parts {
  Parts();
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  mbedtls_x509_crt authorities;
  mbedtls_x509_crt certificate;
  mbedtls_pk_context key;
  mbedtls_ssl_config config;
  std::string digest;  // of the files

  bool is_server = false;
  bool verify_name = true;  // besides the chain
  bool has_certificate = false;
  std::string server_name;  // "" unless the option is set

  // A session to go on with, and the name it was made for: offered again, it saves the costly half
  // of the next handshake. In TLS 1.2 that of the last handshake, in 1.3 what the last ticket says.
  mbedtls_ssl_session session;
  std::string session_name;
};

}  // namespace leat
