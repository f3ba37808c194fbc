#include "protocols/postgres/connection_settings.h"

#include <utility>

#include "net/authority.h"
#include "options/option_errors.h"

namespace leat::postgres {
namespace {

// Of `tls`, and what libpq calls it in the URL.
struct {
  const char* option;
  const char* parameter;
} constexpr kFiles[] = {{"ca", "sslrootcert"}, {"cert", "sslcert"}, {"key", "sslkey"}};

// One of `tls` and the URL may say it.
Status merge(Options& tls, const Options& options, const char* name, const char* parameter,
             const std::string& value) {
  if (value.empty()) return {};
  if (tls.has(name))
    return fail_option(
        options, std::string("tls.") + name,
        "\"url\" says it, too, as " + std::string(parameter) + ": leave one of them out",
        Problem::Kind::kTwice);
  tls.set(name, value);
  return {};
}

}  // namespace

Result<ConnectionSettings> ConnectionSettings::from(const Options& options) {
  ConnectionSettings out;
  OptionErrors errors;
  if (Result<Url> url = Url::parse(options.string("url")))
    out.url = std::move(*url);
  else
    errors.add(options, "url", url.error());
  out.connect_timeout = out.url.connect_timeout.value_or(options.duration("connectTimeout"));

  out.tls = Options(kTlsOptions, options.path("tls"));
  const Options& given = options.object("tls");
  for (const char* name : {"ca", "cert", "key", "serverName"})
    if (given.has(name)) out.tls.set(name, given.string(name));
  if (!given.boolean("verify"))
    errors.add(options, "tls.verify",
               "what is checked is said by sslmode in \"url\": write sslmode=require to check "
               "nothing");
  // libpq's word for the authorities of the system, which are the default here.
  bool system = out.url.root_certificate == "system";
  std::string root = system ? "" : out.url.root_certificate;
  const std::string* given_there[] = {&root, &out.url.certificate, &out.url.key};
  for (size_t i = 0; i < std::size(kFiles); ++i)
    (void)errors.good(
        merge(out.tls, options, kFiles[i].option, kFiles[i].parameter, *given_there[i]));

  // Who names an authority wants the server to be checked against it.
  bool has_authority = system || out.tls.has("ca");
  out.sslmode = out.url.sslmode.value_or(has_authority ? SslMode::kVerifyFull : SslMode::kPrefer);
  // As libpq: with a root certificate, require means verify-ca.
  if (out.sslmode == SslMode::kRequire && has_authority) out.sslmode = SslMode::kVerifyCa;
  if (out.sslmode == SslMode::kVerifyCa && !out.tls.has("ca"))
    errors.add(options, "url",
               "sslmode=verify-ca needs \"tls.ca\" or sslrootcert: with the authorities of the "
               "system anybody can get a certificate; or use verify-full");
  if (out.sslmode == SslMode::kVerifyFull) out.verify = TlsVerify::kAsOptions;
  if (out.sslmode == SslMode::kVerifyCa) out.verify = TlsVerify::kChain;
  out.uses_tls = out.url.address.path.empty() && out.sslmode != SslMode::kDisable;
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

Status ConnectionSettings::check_files(const Options& options) const {
  if (!uses_tls) return {};
  Status files = TlsContext::check(tls, verify);
  if (files || files.error().problems() == nullptr) return files;
  OptionErrors errors;
  for (Problem problem : files.error().problems()->all()) {
    for (const auto& [name, parameter] : kFiles) {
      if (problem.path != tls.path(name) || options.object("tls").has(name) || !tls.has(name))
        continue;
      problem.path = options.path("url");
      problem.text = std::string(parameter) + ": " + problem.text;
    }
    errors.add(std::move(problem));
  }
  return errors.status();
}

std::string ConnectionSettings::warning() const {
  if (!url.address.path.empty() || is_loopback(url.address.host)) return "";
  if (!url.sslmode && sslmode == SslMode::kPrefer)
    return "sslmode is not given: \"prefer\", which libpq takes then, protects against nobody who "
           "can change what is on the wire: use sslmode=verify-full";
  switch (sslmode) {
    case SslMode::kDisable:
    case SslMode::kAllow:
      return "the connection is not encrypted: use sslmode=verify-full";
    case SslMode::kPrefer:
      return "sslmode=prefer protects against nobody who can change what is on the wire: use "
             "sslmode=verify-full";
    case SslMode::kRequire:
      return "sslmode=require does not check who the server is: use sslmode=verify-full";
    case SslMode::kVerifyCa:
    case SslMode::kVerifyFull:
      break;
  }
  return "";
}

void warn_of_connection(const Options& options, OptionErrors& warnings) {
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  std::string warning = connection ? connection->warning() : "";
  if (!warning.empty()) warnings.add(options, "url", std::move(warning));
}

Status check_connection_files(const Options& options) {
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  return connection ? connection->check_files(options) : Status();
}

}  // namespace leat::postgres
