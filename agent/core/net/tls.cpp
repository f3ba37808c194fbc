#include "net/tls.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

#include "base/log.h"
#include "net/tls_parts.h"

namespace leat {
namespace {

// Where distributions keep the authorities the system trusts.
constexpr std::array kSystemAuthorities = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Alpine, Arch, Buildroot
    "/etc/ssl/cert.pem",                   // Alpine, OpenWrt, FreeBSD
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  // openSUSE
    "/etc/ssl/certs/ca-bundle.crt",
};

// mbedTLS's own table of texts would add 20 KB for messages nobody can act on; these are the ones
// that files written by people cause.
std::string parse_problem(int code) {
  switch (code) {
    case MBEDTLS_ERR_PK_PASSWORD_REQUIRED:
      return "the key is encrypted: store it without a password";
    case MBEDTLS_ERR_PK_KEY_INVALID_FORMAT:
    case MBEDTLS_ERR_X509_INVALID_FORMAT:
    case MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT:
      return "nothing in PEM format that can be used was found in it";
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
    case MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG:
      return "its algorithm is not supported";
    default: {
      char buffer[48];
      std::snprintf(buffer, sizeof buffer, "cannot be parsed (mbedTLS error -0x%04X)",
                    static_cast<unsigned>(-code));
      return buffer;
    }
  }
}

// Tells an unreadable file from a bad one: mbedTLS's codes do not say why a file cannot be opened.
Status readable(const std::string& option, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return fail(fail_errno(option + ": open " + path, errno).value());
  std::fclose(file);
  return {};
}

Status load_certificates(mbedtls_x509_crt& into, const std::string& option,
                         const std::string& path) {
  if (Status status = readable(option, path); !status)
    return fail(ErrorKind::kUsage, status.error().message());
  int code = mbedtls_x509_crt_parse_file(&into, path.c_str());
  // A positive result counts certificates that could not be parsed: a bundle may hold some of a
  // kind that mbedTLS does not know, and the others are good.
  if (code < 0 || into.raw.p == nullptr)
    return fail(ErrorKind::kUsage, option + ": " + path + ": " + parse_problem(code));
  return {};
}

Status load_system_authorities(mbedtls_x509_crt& into, const std::string& option) {
  std::string tried;
  for (const char* path : kSystemAuthorities) {
    if (access(path, R_OK) == 0) return load_certificates(into, option, path);
    tried += tried.empty() ? "" : ", ";
    tried += path;
  }
  return fail(ErrorKind::kUsage,
              option + ": this system has no list of trusted authorities (tried " + tried +
                  "): install its ca-certificates package, or name a file here");
}

Status load_client_certificate(mbedtls_x509_crt& certificate, mbedtls_pk_context& key,
                               const Options& options) {
  const std::string key_option = options.path("key");
  const std::string& path = options.string("key");
  if (Status status = load_certificates(certificate, options.path("cert"), options.string("cert"));
      !status)
    return status;
  if (Status status = readable(key_option, path); !status)
    return fail(ErrorKind::kUsage, status.error().message());
  if (int code = mbedtls_pk_parse_keyfile(&key, path.c_str(), nullptr); code != 0)
    return fail(ErrorKind::kUsage, key_option + ": " + path + ": " + parse_problem(code));
  if (mbedtls_pk_check_pair(&certificate.pk, &key) != 0)
    return fail(
        ErrorKind::kUsage,
        key_option + ": " + path + " is not the key of the certificate " + options.string("cert"));
  return {};
}

}  // namespace

TlsContext::Parts::Parts() {
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  mbedtls_x509_crt_init(&authorities);
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
  mbedtls_ssl_config_init(&config);
  mbedtls_ssl_session_init(&session);
}

TlsContext::Parts::~Parts() {
  mbedtls_ssl_session_free(&session);
  mbedtls_ssl_config_free(&config);
  mbedtls_pk_free(&key);
  mbedtls_x509_crt_free(&certificate);
  mbedtls_x509_crt_free(&authorities);
  mbedtls_ctr_drbg_free(&random);
  mbedtls_entropy_free(&entropy);
}

TlsContext::TlsContext(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::open(const Options& options, std::string_view scope,
                                                     TlsVerify verify) {
  auto parts = std::make_unique<Parts>();
  parts->verify =
      verify == TlsVerify::kAsOptions ? options.boolean("verify") : verify == TlsVerify::kChain;
  parts->verify_name = verify != TlsVerify::kChain;
  parts->server_name = options.string("serverName");
  parts->has_certificate = options.has("cert");
  if (options.has("cert") != options.has("key"))
    return fail(ErrorKind::kUsage, options.path() + ": \"cert\" and \"key\" belong together, and " +
                                       (options.has("cert") ? "\"key\"" : "\"cert\"") +
                                       " is missing");

  if (mbedtls_ctr_drbg_seed(&parts->random, mbedtls_entropy_func, &parts->entropy, nullptr, 0) != 0)
    return fail(ErrorKind::kFatal, "TLS: the system gives no random numbers");
  if (mbedtls_ssl_config_defaults(&parts->config, MBEDTLS_SSL_IS_CLIENT,
                                  MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
    return fail(ErrorKind::kFatal, "TLS: out of memory");
  mbedtls_ssl_conf_rng(&parts->config, mbedtls_ctr_drbg_random, &parts->random);
  mbedtls_ssl_conf_min_version(&parts->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                               MBEDTLS_SSL_MINOR_VERSION_3);  // 3.3 on the wire is TLS 1.2

  if (parts->verify) {
    const std::string option = options.path("ca");
    Status status = options.has("ca")
                        ? load_certificates(parts->authorities, option, options.string("ca"))
                        : load_system_authorities(parts->authorities, option);
    if (!status) return fail(status.error());
    mbedtls_ssl_conf_ca_chain(&parts->config, &parts->authorities, nullptr);
    mbedtls_ssl_conf_authmode(&parts->config, MBEDTLS_SSL_VERIFY_REQUIRED);
  } else {
    if (verify == TlsVerify::kAsOptions)
      log::warn(scope,
                options.path("verify") +
                    " is false: whoever answers is trusted, and can read and change the data");
    mbedtls_ssl_conf_authmode(&parts->config, MBEDTLS_SSL_VERIFY_NONE);
  }

  if (parts->has_certificate) {
    if (Status status = load_client_certificate(parts->certificate, parts->key, options); !status)
      return fail(status.error());
    if (mbedtls_ssl_conf_own_cert(&parts->config, &parts->certificate, &parts->key) != 0)
      return fail(ErrorKind::kFatal, "TLS: out of memory");
  }
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(parts)));
}

}  // namespace leat
