#include "net/tls_session.h"

#include <mbedtls/md.h>
#include <mbedtls/ssl.h>
#include <uv.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "net/tls_files.h"
#include "net/tls_parts.h"

namespace leat {
namespace {

// `text` as the bytes of an IP address in network order, "" when it is a name.
std::string address_bytes(const std::string& text) {
  char bytes[16];
  if (uv_inet_pton(AF_INET, text.c_str(), bytes) == 0) return std::string(bytes, 4);
  if (uv_inet_pton(AF_INET6, text.c_str(), bytes) == 0) return std::string(bytes, 16);
  return "";
}

// True when the certificate's subjectAltName lists this IP address (RFC 5280 section 4.2.1.6: tag
// [7], 4 or 16 bytes).
bool names_address(const mbedtls_x509_crt& certificate, const std::string& address) {
  constexpr int kTagMask = 0x1F;
  constexpr int kIpAddress = 7;
  for (const mbedtls_x509_sequence* entry = &certificate.subject_alt_names; entry != nullptr;
       entry = entry->next) {
    if (entry->buf.p == nullptr || (entry->buf.tag & kTagMask) != kIpAddress) continue;
    if (entry->buf.len == address.size() &&
        std::memcmp(entry->buf.p, address.data(), address.size()) == 0)
      return true;
  }
  return false;
}

std::string verify_problem(unsigned flags, const std::string& name) {
  struct Words {
    unsigned flags;
    const char* text;
  };
  static constexpr Words kWords[] = {
      {MBEDTLS_X509_BADCERT_EXPIRED, "has expired (or the clock of this machine is wrong)"},
      {MBEDTLS_X509_BADCERT_FUTURE, "is not valid yet (or the clock of this machine is wrong)"},
      {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "is from an unknown authority"},
      {MBEDTLS_X509_BADCERT_REVOKED, "has been revoked"},
      {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
       "is signed with an algorithm or a key that is too weak"},
      {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
           MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
       "is not meant for servers"},
  };
  std::string text;
  for (const Words& words : kWords)
    if ((flags & words.flags) != 0) text += (text.empty() ? "" : " and ") + std::string(words.text);
  if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0)
    text +=
        std::string(text.empty() ? "" : " and ") + "is for another host name than \"" + name + "\"";
  if (text.empty()) text = "cannot be verified";
  return "the server's certificate " + text;
}

constexpr unsigned char kCertificateRequired = 116;  // RFC 8446 section 6.2

// What a server that asked for a client certificate means by ending the handshake.
std::string certificate_problem(bool has_certificate) {
  return has_certificate ? "the server refused the client certificate"
                         : "the server demands a client certificate";
}

// What the alerts of RFC 5246 section 7.2 and RFC 8446 section 6.2 tell a person to look at.
std::string alert_problem(unsigned char alert, bool cipher_settled, bool has_certificate) {
  switch (alert) {
    case MBEDTLS_SSL_ALERT_MSG_NO_CERT:
    case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
    case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
    case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
    case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
    case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
    case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
    case MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED:
    case kCertificateRequired:
      return certificate_problem(has_certificate);
    case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
      return cipher_settled ? certificate_problem(has_certificate)
                            : "the server refused the handshake (no cipher or no kind of "
                              "certificate in common; Ed25519 is not supported)";
    case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
      return "the server speaks neither TLS 1.2 nor TLS 1.3";
    case MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME:
      return "the server does not know this host name";
    default:
      return "the server ended the connection with alert " + std::to_string(alert);
  }
}

std::string code_problem(int code) {
  if (is_unknown_algorithm(code))
    return "the server's certificate, or one above it, is of a kind that is not supported (RSA and "
           "ECDSA are, Ed25519 is not)";
  switch (code) {
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
    case MBEDTLS_ERR_SSL_UNEXPECTED_RECORD:
      return "what the server sent is not TLS";
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
      return "the server speaks neither TLS 1.2 nor TLS 1.3";
    case MBEDTLS_ERR_SSL_INVALID_MAC:
      return "what the server sent cannot be decrypted";
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
      return "closed by the server";
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
      return "out of memory";
    default: {
      char buffer[40];
      std::snprintf(buffer, sizeof buffer, "mbedTLS error -0x%04X", static_cast<unsigned>(-code));
      return buffer;
    }
  }
}

tl::unexpected<Error> fail_tls(int code) {
  return fail(ErrorKind::kUnavailable, "TLS: " + code_problem(code));
}

bool must_wait(int code) {
  return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

}  // namespace

TlsSession::TlsSession(TlsContext& context, TlsTransport& transport)
    : parts_(context.current_parts()),
      transport_(transport),
      ssl_(std::make_unique<mbedtls_ssl_context>()) {
  mbedtls_ssl_init(ssl_.get());
}

TlsSession::~TlsSession() {
  mbedtls_ssl_free(ssl_.get());
}

Result<std::unique_ptr<TlsSession>> TlsSession::create(TlsContext& context, const std::string& host,
                                                       TlsTransport& transport) {
  std::unique_ptr<TlsSession> session(new TlsSession(context, transport));
  TlsContext::Parts& parts = *session->parts_;
  mbedtls_ssl_context* ssl = session->ssl_.get();
  session->name_ = parts.server_name.empty() ? host : parts.server_name;
  session->ip_address_ = address_bytes(session->name_);

  if (int code = mbedtls_ssl_setup(ssl, &parts.config); code != 0) return fail_tls(code);
  // An IP address must not go into SNI (RFC 6066 section 3), and mbedTLS would put it there:
  // verify() below looks for it in the certificate.
  const char* sni = session->ip_address_.empty() ? session->name_.c_str() : nullptr;
  if (int code = mbedtls_ssl_set_hostname(ssl, sni); code != 0) return fail_tls(code);
  mbedtls_ssl_set_verify(
      ssl,
      [](void* self, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
        return static_cast<TlsSession*>(self)->verify(certificate, depth, flags);
      },
      session.get());
  // A session that cannot be offered only means a full handshake.
  if (!parts.is_server && parts.session_name == session->name_)
    (void)mbedtls_ssl_set_session(ssl, &parts.session);
  mbedtls_ssl_set_bio(
      ssl, session.get(),
      [](void* self, const unsigned char* bytes, size_t size) {
        auto* to = static_cast<TlsSession*>(self);
        int n = to->transport_.send({bytes, size});
        to->blocked_ = n == TlsTransport::kBlocked;
        return to->blocked_ ? MBEDTLS_ERR_SSL_WANT_WRITE : n;
      },
      [](void* self, unsigned char* into, size_t size) {
        auto* from = static_cast<TlsSession*>(self);
        int n = from->transport_.receive({into, size});
        from->blocked_ = n == TlsTransport::kBlocked;
        return from->blocked_ ? MBEDTLS_ERR_SSL_WANT_READ : n;
      },
      nullptr);
  return session;
}

int TlsSession::verify(mbedtls_x509_crt* certificate, int depth, unsigned* flags) {
  if (depth == 0 && !ip_address_.empty() && !names_address(*certificate, ip_address_))
    *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
  if (!parts_->verify_name) *flags &= ~static_cast<unsigned>(MBEDTLS_X509_BADCERT_CN_MISMATCH);
  return 0;
}

// Makes a call of mbedTLS until it comes to something, or the transport blocks. Without that it
// stops at each ticket for a later session, which TLS 1.3 sends at any time: once as if it had to
// wait, and once to have the ticket kept.
template <typename Call>
int TlsSession::make(Call call) {
  while (true) {
    blocked_ = false;
    int code = call();
    if (code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
      keep_session();
    } else if (!must_wait(code) || blocked_) {
      return code;
    }
  }
}

Result<bool> TlsSession::handshake() {
  int code = make([this] { return mbedtls_ssl_handshake(ssl_.get()); });
  if (must_wait(code)) return false;
  if (code != 0) return handshake_error(code);
  if (mbedtls_ssl_get_version_number(ssl_.get()) == MBEDTLS_SSL_VERSION_TLS1_2) keep_session();
  return true;
}

tl::unexpected<Error> TlsSession::handshake_error(int code) {
  // The session offered may be what the server did not like: the next attempt goes without it.
  parts_->session_name.clear();
  if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
    return fail(ErrorKind::kUnavailable,
                "TLS: " + verify_problem(mbedtls_ssl_get_verify_result(ssl_.get()), name_));
  if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) return alert_error();
  return fail_tls(code);
}

// Past the server's hello, what can still be refused is a certificate. mbedTLS has no getter for
// whether it asked for one.
bool TlsSession::cipher_settled() const {
  return ssl_->MBEDTLS_PRIVATE(state) > MBEDTLS_SSL_SERVER_HELLO;
}

// An alert is two bytes, level and description (RFC 5246 section 7.2). There is no getter for it.
tl::unexpected<Error> TlsSession::alert_error() const {
  return fail(ErrorKind::kUnavailable,
              "TLS: " + alert_problem(ssl_->MBEDTLS_PRIVATE(in_msg)[1], cipher_settled(),
                                      parts_->has_certificate));
}

Error TlsSession::cut_short() const {
  std::string text = "TLS: closed by the server during the handshake";
  // The server has had what it could find fault with: some say so only by closing.
  if (ssl_->MBEDTLS_PRIVATE(state) > MBEDTLS_SSL_CLIENT_CERTIFICATE)
    text += ", perhaps because " + certificate_problem(parts_->has_certificate);
  return Error(ErrorKind::kUnavailable, std::move(text));
}

void TlsSession::keep_session() {
  if (parts_->is_server) return;  // its client keeps it
  parts_->session_name.clear();
  mbedtls_ssl_session_free(&parts_->session);
  mbedtls_ssl_session_init(&parts_->session);
  if (mbedtls_ssl_get_session(ssl_.get(), &parts_->session) == 0) parts_->session_name = name_;
}

Result<std::optional<size_t>> TlsSession::read(std::span<char> into) {
  int n = make([this, into] {
    return mbedtls_ssl_read(ssl_.get(), reinterpret_cast<unsigned char*>(into.data()), into.size());
  });
  if (must_wait(n)) return std::nullopt;
  if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return size_t{0};
  if (n == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) return alert_error();
  if (n < 0) return fail_tls(n);
  return static_cast<size_t>(n);
}

Result<size_t> TlsSession::write(std::span<const char> bytes) {
  int n = make([this, bytes] {
    return mbedtls_ssl_write(ssl_.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                             std::min(bytes.size(), kRecordSize));
  });
  if (must_wait(n)) return size_t{0};
  if (n < 0) return fail_tls(n);
  return static_cast<size_t>(n);
}

void TlsSession::notify_close() {
  // Best effort: the peer sees the socket close in any case.
  (void)mbedtls_ssl_close_notify(ssl_.get());
}

std::string TlsSession::server_end_point() const {
  const mbedtls_x509_crt* certificate = mbedtls_ssl_get_peer_cert(ssl_.get());
  if (certificate == nullptr) return "";
  // The hash of the certificate's own signature, but SHA-256 in place of MD5 and SHA-1.
  mbedtls_md_type_t type = certificate->MBEDTLS_PRIVATE(sig_md);
  if (type == MBEDTLS_MD_MD5 || type == MBEDTLS_MD_SHA1) type = MBEDTLS_MD_SHA256;
  const mbedtls_md_info_t* info = mbedtls_md_info_from_type(type);
  unsigned char hash[MBEDTLS_MD_MAX_SIZE];
  if (info == nullptr || mbedtls_md(info, certificate->raw.p, certificate->raw.len, hash) != 0)
    return "";
  return std::string(reinterpret_cast<char*>(hash), mbedtls_md_get_size(info));
}

}  // namespace leat
