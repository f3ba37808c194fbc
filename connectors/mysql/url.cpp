#include "connectors/mysql/url.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "net/authority.h"
#include "options/option_errors.h"

namespace leat::mysql {
namespace {

constexpr uint16_t kDefaultPort = 3306;

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

Status parse_mode(std::string_view value, std::optional<SslMode>& mode) {
  if (mode) return bad("ssl-mode is there twice");
  static constexpr std::string_view kNames[] = {"DISABLED", "REQUIRED", "VERIFY_CA",
                                                "VERIFY_IDENTITY"};
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (value == kNames[i]) mode = static_cast<SslMode>(i);
  if (mode) return {};
  return bad("ssl-mode must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
}

Status parse_parameter(std::string_view name, const std::string& value, Url& url) {
  if (name == "ssl-mode") return parse_mode(value, url.ssl_mode);
  if (name == "socket") {
    if (!value.starts_with('/')) return bad("socket must be a path that begins with \"/\"");
    url.address.path = value;
    return {};
  }
  return fail_option({.kind = Problem::Kind::kUnknownKey,
                      .suggestion = nearest(name, {"ssl-mode", "socket"}),
                      .text = "parameter \"" + excerpt(name) + "\" is not known"});
}

Status take_authority(std::string_view text, Url& url) {
  Result<Authority> parts = split_authority(text);
  if (!parts) return fail(parts.error());
  url.user = parts->user.value_or("");
  url.password = parts->password.value_or("");
  url.address.host = std::move(parts->host);
  url.address.port = kDefaultPort;
  if (!parts->port.empty())
    if (Status port = parse_port(parts->port, url.address.port); !port) return port;
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  Result<UrlParts> split = split_url(text);
  if (!split) return fail(split.error());
  if (split->scheme != "mysql" && split->scheme != "mariadb")
    return bad("it must start with \"mysql://\" or \"mariadb://\"");
  const std::string_view authority = split->authority;
  const std::string_view database = split->path;

  Url url;
  OptionErrors errors;
  if (database.find('@') != std::string_view::npos && authority.find(':') != std::string_view::npos)
    errors.add({.text = "a \"/\" in its user or password must be written as %2F"});
  else
    (void)errors.good(take_authority(authority, url));
  if (Result<std::string> decoded = percent_decoded(database, "database"); errors.good(decoded))
    url.database = std::move(*decoded);
  while (!split->query.empty()) {
    auto parameter = take_parameter(split->query);
    if (errors.good(parameter))
      (void)errors.good(parse_parameter(parameter->first, parameter->second, url));
  }
  if (errors.empty()) {
    if (url.user.empty())
      errors.add({.kind = Problem::Kind::kMissing,
                  .text = "it names no user: mysql://USER@HOST/DATABASE"});
    if (url.database.empty())
      errors.add({.kind = Problem::Kind::kMissing,
                  .text = "it names no database: mysql://USER@HOST/DATABASE"});
    if (url.address.path.empty()) (void)errors.good(check_host(url.address.host));
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  return url;
}

std::string Url::shown() const {
  return "mysql " + address.text() + "/" + excerpt(database);
}

}  // namespace leat::mysql
