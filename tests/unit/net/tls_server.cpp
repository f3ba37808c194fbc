#include "net/tls_server.h"

#include <arpa/inet.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "net/tls_random.h"

namespace leat::testing {
namespace {

void must(int code) {
  if (code >= 0) return;
  std::fprintf(stderr, "tls server: error -0x%04X\n", static_cast<unsigned>(-code));
  std::abort();
}

class Peer final : public TlsPeer {
 public:
  explicit Peer(mbedtls_ssl_context& ssl) : ssl_(ssl) {}
  std::string read() override {
    std::array<unsigned char, 16384> buffer;
    int n = mbedtls_ssl_read(&ssl_, buffer.data(), buffer.size());
    return n <= 0 ? "" : std::string(buffer.begin(), buffer.begin() + n);
  }
  void write(const std::string& bytes) override {
    size_t done = 0;
    while (done < bytes.size()) {
      int n = mbedtls_ssl_write(&ssl_, reinterpret_cast<const unsigned char*>(bytes.data()) + done,
                                bytes.size() - done);
      if (n < 0) return;
      done += static_cast<size_t>(n);
    }
  }

 private:
  mbedtls_ssl_context& ssl_;
};

void echo(TlsPeer& peer) {
  for (std::string bytes = peer.read(); !bytes.empty(); bytes = peer.read()) peer.write(bytes);
}

}  // namespace

struct TlsServer::Parts {
  Parts() {
    must(psa_crypto_init());
    mbedtls_x509_crt_init(&certificate);
    mbedtls_x509_crt_init(&clients);
    mbedtls_pk_init(&key);
    mbedtls_ssl_cache_init(&cache);
    mbedtls_ssl_ticket_init(&tickets);
    mbedtls_ssl_config_init(&config);
  }
  ~Parts() {
    mbedtls_ssl_config_free(&config);
    mbedtls_ssl_ticket_free(&tickets);
    mbedtls_ssl_cache_free(&cache);
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&clients);
    mbedtls_x509_crt_free(&certificate);
  }
  mbedtls_x509_crt certificate;
  mbedtls_x509_crt clients;
  mbedtls_pk_context key;
  mbedtls_ssl_cache_context cache;     // TLS 1.2's sessions
  mbedtls_ssl_ticket_context tickets;  // TLS 1.3's
  mbedtls_ssl_config config;
};

TlsServer::TlsServer(TlsServerConfig config)
    : config_(std::move(config)), parts_(std::make_unique<Parts>()) {
  mbedtls_ssl_config* ssl = &parts_->config;
  must(mbedtls_x509_crt_parse_file(&parts_->certificate, config_.identity.certificate.c_str()));
  must(mbedtls_pk_parse_keyfile(&parts_->key, config_.identity.key.c_str(), nullptr,
                                mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE));
  must(mbedtls_ssl_config_defaults(ssl, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                   MBEDTLS_SSL_PRESET_DEFAULT));
  mbedtls_ssl_conf_rng(ssl, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
  const auto version = config_.tls13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2;
  mbedtls_ssl_conf_min_tls_version(ssl, version);
  mbedtls_ssl_conf_max_tls_version(ssl, version);
  must(mbedtls_ssl_conf_own_cert(ssl, &parts_->certificate, &parts_->key));
  if (!config_.client_authority.empty()) {
    must(mbedtls_x509_crt_parse_file(&parts_->clients, config_.client_authority.c_str()));
    mbedtls_ssl_conf_ca_chain(ssl, &parts_->clients, nullptr);
    mbedtls_ssl_conf_authmode(ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
  }
  mbedtls_ssl_conf_session_cache(
      ssl, this,
      [](void* self, const unsigned char* id, size_t size, mbedtls_ssl_session* session) {
        auto* server = static_cast<TlsServer*>(self);
        int code = mbedtls_ssl_cache_get(&server->parts_->cache, id, size, session);
        if (code == 0) ++server->resumed_;
        return code;
      },
      [](void* self, const unsigned char* id, size_t size, const mbedtls_ssl_session* session) {
        return mbedtls_ssl_cache_set(&static_cast<TlsServer*>(self)->parts_->cache, id, size,
                                     session);
      });
  if (config_.tls13) {
    constexpr uint32_t kLifetimeSeconds = 3600;
    must(mbedtls_ssl_ticket_setup(&parts_->tickets, mbedtls_psa_get_random,
                                  MBEDTLS_PSA_RANDOM_STATE, MBEDTLS_CIPHER_AES_256_GCM,
                                  kLifetimeSeconds));
    mbedtls_ssl_conf_session_tickets_cb(
        ssl,
        [](void* self, const mbedtls_ssl_session* session, unsigned char* into,
           const unsigned char* end, size_t* size, uint32_t* lifetime) {
          return mbedtls_ssl_ticket_write(&static_cast<TlsServer*>(self)->parts_->tickets, session,
                                          into, end, size, lifetime);
        },
        [](void* self, mbedtls_ssl_session* session, unsigned char* ticket, size_t size) {
          auto* server = static_cast<TlsServer*>(self);
          int code = mbedtls_ssl_ticket_parse(&server->parts_->tickets, session, ticket, size);
          if (code == 0) ++server->resumed_;
          return code;
        },
        this);
  }

  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TlsServer::~TlsServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);  // accept() returns
  thread_.join();
  close(listener_);
}

void TlsServer::run() {
  while (!stopping_) {
    int fd = accept(listener_, nullptr, nullptr);
    if (fd >= 0) serve(fd);
  }
}

void TlsServer::serve(int fd) {
  mbedtls_net_context net;
  mbedtls_net_init(&net);
  net.fd = fd;
  std::string prelude(config_.plain_prelude.size(), '\0');
  if (!prelude.empty()) {
    ssize_t n = recv(fd, prelude.data(), prelude.size(), MSG_WAITALL);
    if (n != static_cast<ssize_t>(prelude.size()) || prelude != config_.plain_prelude ||
        ::send(fd, "S", 1, MSG_NOSIGNAL) != 1)
      return mbedtls_net_free(&net);
  }
  mbedtls_ssl_context ssl;
  mbedtls_ssl_init(&ssl);
  must(mbedtls_ssl_setup(&ssl, &parts_->config));
  mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, nullptr);
  if (mbedtls_ssl_handshake(&ssl) == 0) {
    ++handshakes_;
    Peer peer(ssl);
    if (config_.script) {
      config_.script(peer);
    } else {
      echo(peer);
    }
    mbedtls_ssl_close_notify(&ssl);
  }
  mbedtls_ssl_free(&ssl);
  mbedtls_net_free(&net);
}

}  // namespace leat::testing
