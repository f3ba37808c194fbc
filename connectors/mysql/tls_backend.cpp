// What libmariadb asks of a TLS library is a dozen functions. These stand before its own of the
// same names: the linker takes openssl.c.o out of the archive for nothing else, and so does not
// take it; since 3.4 (Debian 13) the same of openssl_crypt.c.o. Their declarations (ma_tls.h) are
// not installed whole by all versions, so what is here is what all of them have in common:
// arguments that later versions have added stand behind these, and are not looked at.
#include "connectors/mysql/tls_backend.h"

#include <errmsg.h>
#include <mbedtls/md.h>
#include <mysql.h>
// Without HAVE_TLS, which would bring ma_tls.h.
#include <ma_pvio.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

#include "net/tls_session.h"

namespace leat::mysql {
namespace {

thread_local const TlsOfThread* tls_of_thread = nullptr;

// The socket, as libmariadb reads and writes it: both wait, for as long as its timeouts say.
class SocketTransport final : public TlsTransport {
 public:
  explicit SocketTransport(MARIADB_PVIO* socket) : socket_(socket) {}

  int send(std::span<const unsigned char> bytes) override {
    return moved(socket_->methods->write(socket_, bytes.data(), bytes.size()));
  }
  int receive(std::span<unsigned char> into) override {
    return moved(socket_->methods->read(socket_, into.data(), into.size()));
  }
  bool broken() const { return broken_; }

 private:
  // kBlocked ends the call that is under way, as the end of a connection should.
  int moved(ssize_t bytes) {
    broken_ = broken_ || bytes <= 0;
    return bytes <= 0 ? kBlocked : static_cast<int>(bytes);
  }

  MARIADB_PVIO* const socket_;
  bool broken_ = false;
};

// MARIADB_TLS, as far as it is looked at.
struct Tls {
  void* data;
  MARIADB_PVIO* pvio;
  void* ssl;
};

struct Connection {
  explicit Connection(MARIADB_PVIO* socket) : transport(socket) {}

  SocketTransport transport;
  std::unique_ptr<TlsSession> session;
};

Connection& connection_of(Tls* tls) {
  return *static_cast<Connection*>(tls->ssl);
}

void set_error(MYSQL* mysql, const std::string& why) {
  my_set_error(mysql, CR_SSL_CONNECTION_ERROR, "HY000", "%s", why.c_str());
}

}  // namespace

TlsOfThread::TlsOfThread(TlsContext* context, std::string host)
    : context_(context), host_(std::move(host)) {
  tls_of_thread = this;
}

TlsOfThread::~TlsOfThread() {
  tls_of_thread = nullptr;
}

}  // namespace leat::mysql

using leat::mysql::connection_of;
using leat::mysql::Tls;

extern "C" {

extern my_bool ma_tls_initialized;
char tls_library_version[64] = "mbedTLS";

int ma_tls_start(char* /*message*/, size_t /*size*/) {
  ma_tls_initialized = 1;
  return 0;
}

void ma_tls_end() {
  ma_tls_initialized = 0;
}

void* ma_tls_init(MYSQL* mysql) {
  const auto* tls = leat::mysql::tls_of_thread;
  if (tls == nullptr || tls->context() == nullptr) {
    leat::mysql::set_error(mysql, "TLS: none was asked for");
    return nullptr;
  }
  auto connection = std::make_unique<leat::mysql::Connection>(mysql->net.pvio);
  auto session = leat::TlsSession::create(*tls->context(), tls->host(), connection->transport);
  if (!session) {
    leat::mysql::set_error(mysql, session.error().message());
    return nullptr;
  }
  connection->session = std::move(*session);
  return connection.release();
}

my_bool ma_tls_connect(Tls* tls) {
  auto& connection = connection_of(tls);
  leat::Result<bool> done = connection.session->handshake();
  if (done && *done) return 0;
  leat::mysql::set_error(tls->pvio->mysql,
                         done ? connection.session->cut_short().message() : done.error().message());
  return 1;
}

ssize_t ma_tls_read(Tls* tls, const uchar* buffer, size_t length) {
  auto& connection = connection_of(tls);
  auto* into = reinterpret_cast<char*>(const_cast<uchar*>(buffer));
  // Without a byte for us, but not at an end: a ticket for a later session, say.
  while (!connection.transport.broken()) {
    auto read = connection.session->read({into, length});
    if (!read) {
      leat::mysql::set_error(tls->pvio->mysql, read.error().message());
      return -1;
    }
    if (*read) return static_cast<ssize_t>(**read);
  }
  return -1;
}

ssize_t ma_tls_write(Tls* tls, const uchar* buffer, size_t length) {
  auto& connection = connection_of(tls);
  const auto* bytes = reinterpret_cast<const char*>(buffer);
  size_t written = 0;
  while (written < length && !connection.transport.broken()) {
    auto taken = connection.session->write({bytes + written, length - written});
    if (!taken) {
      leat::mysql::set_error(tls->pvio->mysql, taken.error().message());
      return -1;
    }
    written += *taken;
  }
  return written == length ? static_cast<ssize_t>(written) : -1;
}

my_bool ma_tls_close(Tls* tls) {
  std::unique_ptr<leat::mysql::Connection> connection(
      static_cast<leat::mysql::Connection*>(std::exchange(tls->ssl, nullptr)));
  if (connection && !connection->transport.broken()) connection->session->notify_close();
  return 0;
}

// The handshake has done so, as TlsContext was told.
int ma_tls_verify_server_cert(Tls* /*tls*/) {
  return 0;
}

const char* ma_tls_get_cipher(Tls* /*tls*/) {
  return tls_library_version;
}

// None was given to compare it with.
unsigned int ma_tls_get_finger_print(Tls* /*tls*/) {
  return 0;
}

unsigned int ma_tls_get_peer_cert_info(Tls* /*tls*/) {
  return 0;
}

int ma_tls_get_protocol_version(Tls* /*tls*/) {
  constexpr int kUnknown = 5;
  return kUnknown;
}

void ma_tls_set_connection(MYSQL* /*mysql*/) {}

// Of the non-blocking calls, which are not made.
ssize_t ma_tls_read_async(MARIADB_PVIO* /*socket*/, const uchar* /*buffer*/, size_t /*length*/) {
  return -1;
}

ssize_t ma_tls_write_async(MARIADB_PVIO* /*socket*/, const uchar* /*buffer*/, size_t /*length*/) {
  return -1;
}

// Of passwords.
void* ma_hash_new(unsigned int algorithm) {
  constexpr mbedtls_md_type_t kTypes[] = {MBEDTLS_MD_NONE,   MBEDTLS_MD_MD5,    MBEDTLS_MD_SHA1,
                                          MBEDTLS_MD_SHA224, MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384,
                                          MBEDTLS_MD_SHA512};
  if (algorithm >= std::size(kTypes)) return nullptr;
  auto hash = std::make_unique<mbedtls_md_context_t>();
  mbedtls_md_init(hash.get());
  if (mbedtls_md_setup(hash.get(), mbedtls_md_info_from_type(kTypes[algorithm]), 0) != 0 ||
      mbedtls_md_starts(hash.get()) != 0) {
    mbedtls_md_free(hash.get());
    return nullptr;
  }
  return hash.release();
}

void ma_hash_free(void* hash) {
  if (hash == nullptr) return;
  mbedtls_md_free(static_cast<mbedtls_md_context_t*>(hash));
  delete static_cast<mbedtls_md_context_t*>(hash);
}

void ma_hash_input(void* hash, const unsigned char* bytes, size_t size) {
  mbedtls_md_update(static_cast<mbedtls_md_context_t*>(hash), bytes, size);
}

void ma_hash_result(void* hash, unsigned char* digest) {
  mbedtls_md_finish(static_cast<mbedtls_md_context_t*>(hash), digest);
}
}
