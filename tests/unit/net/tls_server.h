// A TLS server on a thread of its own, on 127.0.0.1: what a Stream meets out there, but for tests.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "net/pki.h"

namespace leat::testing {

// One connection after its handshake. Blocks; used on the server's thread.
class TlsPeer {
 public:
  virtual ~TlsPeer() = default;
  virtual std::string read() = 0;  // some bytes; "" at the end
  virtual void write(const std::string& bytes) = 0;
};

struct TlsServerConfig {
  KeyAndCertificate identity = {};
  std::string client_authority = {};  // demands client certificates of it
  bool tls13 = false;                 // TLS 1.3 and nothing else; otherwise 1.2 and nothing else
  std::string plain_prelude = {};     // waits for these bytes in clear, says "S", then starts TLS
  // What to do on each connection; it is closed when this returns. Default: echo.
  std::function<void(TlsPeer&)> script = {};
};

class TlsServer {
 public:
  explicit TlsServer(TlsServerConfig config);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  uint16_t port() const { return port_; }
  int handshakes() const { return handshakes_; }  // that succeeded
  int resumed() const { return resumed_; }        // of those, with the session of an earlier one

 private:
  struct Parts;
  void run();
  void serve(int fd);

  TlsServerConfig config_;
  std::unique_ptr<Parts> parts_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> handshakes_{0};
  std::atomic<int> resumed_{0};
  std::thread thread_;
};

}  // namespace leat::testing
