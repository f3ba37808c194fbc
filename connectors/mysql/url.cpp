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
  static constexpr std::string_view kNames[] = {"DISABLED", "REQUIRED", "VERIFY_CA",
                                                "VERIFY_IDENTITY"};
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (value == kNames[i]) mode = static_cast<SslMode>(i);
  if (mode) return {};
  return bad("ssl-mode must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
}

Status parse_item(std::string_view item, Url& url) {
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos) return bad("a parameter behind \"?\" has no \"=\"");
  const std::string_view name = item.substr(0, equals);
  Result<std::string> value = percent_decoded(item.substr(equals + 1), "query");
  if (!value) return fail(value.error());
  if (name == "ssl-mode") return parse_mode(*value, url.ssl_mode);
  if (name == "socket") {
    if (!value->starts_with('/')) return bad("socket must be a path that begins with \"/\"");
    url.address.path = *value;
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
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return bad("it has a blank or a control character in it: write %20 for a blank");
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos ||
      (text.substr(0, scheme) != "mysql" && text.substr(0, scheme) != "mariadb"))
    return bad("it must start with \"mysql://\" or \"mariadb://\"");
  text.remove_prefix(scheme + 3);
  const size_t question = text.find('?');
  std::string_view query = question == std::string_view::npos ? "" : text.substr(question + 1);
  text = text.substr(0, question);
  const size_t slash = text.find('/');
  const std::string_view database =
      slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  const std::string_view authority = text.substr(0, slash);

  Url url;
  OptionErrors errors;
  if (database.find('@') != std::string_view::npos && authority.find(':') != std::string_view::npos)
    errors.add({.text = "a \"/\" in its user or password must be written as %2F"});
  else
    (void)errors.good(take_authority(authority, url));
  if (Result<std::string> decoded = percent_decoded(database, "database"); errors.good(decoded))
    url.database = std::move(*decoded);
  while (!query.empty()) {
    const size_t end = query.find('&');
    (void)errors.good(parse_item(query.substr(0, end), url));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
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
