#include "connectors/mysql/settings.h"

#include <utility>

#include "net/authority.h"

namespace leat::mysql {
namespace {

bool is_here(const Address& address) {
  return !address.path.empty() || is_loopback(address.host);
}

SslMode mode_of(const Url& url, const Options& tls) {
  if (url.ssl_mode) return *url.ssl_mode;
  return is_here(url.address) && !tls.has("ca") ? SslMode::kDisabled : SslMode::kVerifyIdentity;
}

}  // namespace

Result<ConnectionSettings> ConnectionSettings::from(const Options& options) {
  ConnectionSettings out;
  OptionErrors errors;
  if (Result<Url> url = Url::parse(options.string("url")))
    out.url = std::move(*url);
  else
    errors.add(options, "url", url.error());
  out.connect_timeout = options.duration("connectTimeout");
  out.timeout = options.duration("timeout");
  out.tls = Options(kTlsOptions, options.path("tls"));
  const Options& given = options.object("tls");
  for (const char* name : {"ca", "cert", "key", "serverName"})
    if (given.has(name)) out.tls.set(name, given.string(name));
  if (!given.boolean("verify"))
    errors.add(options, "tls.verify",
               "what is checked is said by ssl-mode in \"url\": write ssl-mode=REQUIRED to check "
               "nothing");
  const SslMode mode = mode_of(out.url, out.tls);
  if (mode == SslMode::kVerifyCa && !out.tls.has("ca"))
    errors.add(options, "url",
               "ssl-mode=VERIFY_CA needs \"tls.ca\": with the authorities of the system anybody "
               "can get a certificate; or use VERIFY_IDENTITY");
  if (mode == SslMode::kVerifyIdentity) out.verify = TlsVerify::kAsOptions;
  if (mode == SslMode::kVerifyCa) out.verify = TlsVerify::kChain;
  out.uses_tls = mode != SslMode::kDisabled && out.url.address.path.empty();
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

void warn_of_connection(const Options& options, OptionErrors& warnings) {
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  if (!connection || is_here(connection->url.address)) return;
  if (!connection->uses_tls)
    warnings.add(options, "url", "the connection is not encrypted: leave ssl-mode out");
  else if (connection->verify == TlsVerify::kNothing)
    warnings.add(options, "url",
                 "ssl-mode=REQUIRED does not check who the server is: use VERIFY_IDENTITY");
}

Status check_connection_files(const Options& options) {
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  if (!connection || !connection->uses_tls) return {};
  return TlsContext::check(connection->tls, connection->verify);
}

}  // namespace leat::mysql
