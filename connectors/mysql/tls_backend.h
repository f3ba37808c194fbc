// TLS for libmariadb by mbedTLS, the one TLS library of leat, in the place of OpenSSL.
#pragma once

#include <string>

#include "net/tls.h"

namespace leat::mysql {

// While one lives, what connects on its thread does so with this context, as to `host`.
class TlsOfThread {
 public:
  TlsOfThread(TlsContext* context, std::string host);
  ~TlsOfThread();
  TlsOfThread(const TlsOfThread&) = delete;
  TlsOfThread& operator=(const TlsOfThread&) = delete;

  TlsContext* context() const { return context_; }
  const std::string& host() const { return host_; }

 private:
  TlsContext* const context_;
  const std::string host_;
};

}  // namespace leat::mysql
