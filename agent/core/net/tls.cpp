#include "net/tls.h"

#include <gcm_stretch.h>
#include <psa/crypto.h>

#include <utility>

#include "base/log.h"
#include "net/tls_files.h"
#include "net/tls_parts.h"
#include "net/tls_random.h"
#include "net/tls_suites.h"
#include "options/option_errors.h"

namespace leat {

TlsContext::Parts::Parts() {
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
}

TlsContext::TlsContext(const Options& options, std::string_view scope, TlsVerify verify,
                       bool is_server)
    : options_(options), scope_(scope), verify_(verify), is_server_(is_server) {}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::open(const Options& options, std::string_view scope,
                                                     TlsVerify verify) {
  auto made = make(
      std::unique_ptr<TlsContext>(new TlsContext(options, scope, verify, /*is_server=*/false)));
  if (made && verify == TlsVerify::kAsOptions && !options.boolean("verify"))
    log::warn(scope, options.path("verify") +
                         " is false: whoever answers is trusted, and can read and change the data");
  return made;
}

Result<std::unique_ptr<TlsContext>> TlsContext::open_server(const Options& options,
                                                            std::string_view scope) {
  if (!options.has("cert") && !options.has("key"))
    return fail(ErrorKind::kUsage, options.path("cert") + ": is required, and so is \"key\"");
  const TlsVerify verify = options.has("ca") ? TlsVerify::kChain : TlsVerify::kNothing;
  return make(
      std::unique_ptr<TlsContext>(new TlsContext(options, scope, verify, /*is_server=*/true)));
}

Result<std::unique_ptr<TlsContext>> TlsContext::make(std::unique_ptr<TlsContext> context) {
  if (Status status = context->name_files(); !status) return fail(status.error());
  Result<std::shared_ptr<Parts>> parts = context->load();
  if (!parts) return fail(parts.error());
  context->parts_ = std::move(*parts);
  return context;
}

Status TlsContext::name_files() {
  if (options_.has("cert") != options_.has("key"))
    return fail_option(options_.path(), std::string("\"cert\" and \"key\" belong together, and ") +
                                            (options_.has("cert") ? "\"key\"" : "\"cert\"") +
                                            " is missing");
  // TLS 1.3 rests on PSA, and everything on its random numbers. Again and from any thread is fine.
  if (psa_crypto_init() != PSA_SUCCESS)
    return fail(ErrorKind::kFatal, "TLS: the system gives no random numbers");
  if (verifies()) {
    Result<std::string> authorities = options_.has("ca")
                                          ? Result<std::string>(options_.string("ca"))
                                          : system_authorities(options_.path("ca"));
    if (!authorities) return fail(authorities.error());
    files_.push_back(std::move(*authorities));
  }
  if (options_.has("cert")) {
    files_.push_back(options_.string("cert"));
    files_.push_back(options_.string("key"));
  }
  return {};
}

bool TlsContext::verifies() const {
  return verify_ == TlsVerify::kAsOptions ? options_.boolean("verify")
                                          : verify_ == TlsVerify::kChain;
}

Result<std::shared_ptr<TlsContext::Parts>> TlsContext::load() {
  auto parts = std::make_shared<Parts>();
  parts->verify_name = verify_ != TlsVerify::kChain;
  if (!is_server_) parts->server_name = options_.string("serverName");
  parts->is_server = is_server_;
  parts->has_certificate = options_.has("cert");

  // Before they are read: what changes meanwhile is read once more.
  stamps_.clear();
  for (const std::string& file : files_) stamps_.push_back(stamp_of(file));

  mbedtls_ssl_config* config = &parts->config;
  if (mbedtls_ssl_config_defaults(config,
                                  is_server_ ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                  MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
    return fail(ErrorKind::kFatal, "TLS: out of memory");
  mbedtls_ssl_conf_rng(config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
  mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
  if (!is_server_ && gcm_has_instructions() != 0)
    mbedtls_ssl_conf_ciphersuites(config, aes_gcm_first());
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
      config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);

  mbedtls_ssl_conf_authmode(config,
                            verifies() ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
  // One line, where there is no room for more.
  if (Status status = load_files(*parts, /*named_only=*/false); !status)
    return fail_option(status.error().problems()->all().front());
  if (verifies()) mbedtls_ssl_conf_ca_chain(config, &parts->authorities, nullptr);
  if (parts->has_certificate &&
      mbedtls_ssl_conf_own_cert(config, &parts->certificate, &parts->key) != 0)
    return fail(ErrorKind::kFatal, "TLS: out of memory");
  return parts;
}

// `named_only`: but for the system's authorities.
Status TlsContext::load_files(Parts& parts, bool named_only) const {
  OptionErrors errors;
  if (verifies() && (!named_only || options_.has("ca")))
    (void)errors.good(
        load_certificates(parts.authorities, options_.path("ca"), files_.front(), parts.digest));
  if (!options_.has("cert")) return errors.status();
  const std::string& certificate = options_.string("cert");
  const std::string& key = options_.string("key");
  const bool has_certificate = errors.good(
      load_certificates(parts.certificate, options_.path("cert"), certificate, parts.digest));
  const bool has_key = errors.good(load_key(parts.key, options_.path("key"), key, parts.digest));
  if (has_certificate && has_key &&
      mbedtls_pk_check_pair(&parts.certificate.pk, &parts.key, mbedtls_psa_get_random,
                            MBEDTLS_PSA_RANDOM_STATE) != 0)
    errors.add(options_, "key", key + " is not the key of the certificate " + certificate);
  return errors.status();
}

Status TlsContext::check(const Options& options, TlsVerify verify) {
  TlsContext context(options, "", verify, /*is_server=*/false);
  return context.check_named();
}

Status TlsContext::check_server(const Options& options) {
  const TlsVerify verify = options.has("ca") ? TlsVerify::kChain : TlsVerify::kNothing;
  TlsContext context(options, "", verify, /*is_server=*/true);
  return context.check_named();
}

Status TlsContext::check_named() {
  if (Status status = name_files(); !status) return status;
  Parts parts;
  return load_files(parts, /*named_only=*/true);
}

bool TlsContext::files_changed() const {
  for (size_t i = 0; i < files_.size(); ++i)
    if (stamp_of(files_[i]) != stamps_[i]) return true;
  return false;
}

std::shared_ptr<TlsContext::Parts> TlsContext::current_parts() {
  if (!files_changed()) return parts_;
  Result<std::shared_ptr<Parts>> parts = load();
  if (!parts) {
    // Half of a renewal, perhaps: it is tried again when a file changes again.
    log::warn(scope_, parts.error().message() + ": new connections use what was read before");
  } else if ((*parts)->digest != parts_->digest) {
    log::info(scope_,
              "tls: the certificates have changed and were read again, for new connections");
    parts_ = std::move(*parts);
  }
  return parts_;
}

Status open_tls(std::unique_ptr<TlsContext>& context, bool wanted, const Options& options,
                std::string_view scope, TlsVerify verify) {
  if (!wanted) return {};
  Result<std::unique_ptr<TlsContext>> opened = TlsContext::open(options, scope, verify);
  if (!opened) return fail(opened.error());
  context = std::move(*opened);
  return {};
}

}  // namespace leat
