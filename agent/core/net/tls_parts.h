// The mbedTLS objects behind a TlsContext. Only tls.cpp and tls_session.cpp see them.
#pragma once

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <string>

#include "net/tls.h"

namespace leat {

struct TlsContext::Parts {
  Parts();
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_x509_crt authorities;
  mbedtls_x509_crt certificate;
  mbedtls_pk_context key;
  mbedtls_ssl_config config;

  bool verify = true;
  bool verify_name = true;  // besides the chain
  bool has_certificate = false;
  std::string server_name;  // "" unless the option is set

  // The session of the last full handshake and the name it was made for: offered again, it saves
  // the costly half of the next handshake.
  mbedtls_ssl_session session;
  std::string session_name;
};

}  // namespace leat
