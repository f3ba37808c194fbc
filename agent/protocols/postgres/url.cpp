#include "protocols/postgres/url.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/text.h"
#include "net/authority.h"
#include "options/option_errors.h"

namespace leat::postgres {
namespace {

constexpr uint16_t kDefaultPort = 5432;
constexpr std::string_view kDefaultSocketFolder = "/run/postgresql";  // Debian's and Fedora's

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

Status parse_sslmode(std::string_view value, std::optional<SslMode>& mode) {
  static constexpr std::string_view kNames[] = {"disable", "allow",     "prefer",
                                                "require", "verify-ca", "verify-full"};
  const auto* known = std::ranges::find(kNames, value);
  if (known == std::end(kNames))
    return bad("sslmode must be disable, allow, prefer, require, verify-ca or verify-full");
  mode = static_cast<SslMode>(known - std::begin(kNames));
  return {};
}

Status parse_binding(std::string_view value, Binding& binding) {
  if (value == "disable") {
    binding = Binding::kDisable;
  } else if (value == "prefer") {
    binding = Binding::kPrefer;
  } else if (value == "require") {
    binding = Binding::kRequire;
  } else {
    return bad("channel_binding must be disable, prefer or require");
  }
  return {};
}

Status parse_timeout(std::string_view value, std::optional<Milliseconds>& timeout) {
  int seconds = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size() || seconds < 0 || seconds > 86'400)
    return bad("connect_timeout must be a whole number of seconds");
  // libpq: 0 waits for ever (here: the connectTimeout option), and 1 is too short to be meant.
  if (seconds > 0) timeout = Milliseconds(std::max(seconds, 2) * 1000);
  return {};
}

// Where the parameters of the query can put a host and a port.
struct Place {
  std::string host;
  std::string port;
};

Status parse_parameter(std::string_view name, const std::string& value, Url& url, Place& place) {
  struct Text {
    std::string_view name;
    std::string* into;
  };
  const Text texts[] = {{"user", &url.user},           {"password", &url.password},
                        {"dbname", &url.database},     {"application_name", &url.application},
                        {"options", &url.options},     {"sslrootcert", &url.root_certificate},
                        {"sslcert", &url.certificate}, {"sslkey", &url.key},
                        {"host", &place.host},         {"port", &place.port}};
  for (const Text& text : texts) {
    if (text.name != name) continue;
    *text.into = value;
    return {};
  }
  if (name == "sslmode") return parse_sslmode(value, url.sslmode);
  if (name == "channel_binding") return parse_binding(value, url.binding);
  if (name == "connect_timeout") return parse_timeout(value, url.connect_timeout);
  static const std::vector<std::string> kKnown = {
      "user",           "password",    "dbname",  "application_name",
      "options",        "sslrootcert", "sslcert", "sslkey",
      "host",           "port",        "sslmode", "channel_binding",
      "connect_timeout"};
  return fail_option({.kind = Problem::Kind::kUnknownKey,
                      .suggestion = nearest(name, kKnown),
                      .text = "parameter \"" + excerpt(name) + "\" is not known"});
}

Status parse_query(std::string_view query, Url& url, Place& place) {
  OptionErrors errors;
  while (!query.empty()) {
    auto parameter = take_parameter(query);
    if (errors.good(parameter))
      (void)errors.good(parse_parameter(parameter->first, parameter->second, url, place));
  }
  return errors.status();
}

Status settle_place(const Place& place, Address& address) {
  if (place.host.find(',') != std::string::npos)
    return bad("it names several hosts; only one is supported");
  address.port = kDefaultPort;
  if (!place.port.empty())
    if (Status status = parse_port(place.port, address.port); !status) return status;
  address.host = place.host;
  if (place.host.empty()) address.host = kDefaultSocketFolder;
  if (address.host.front() != '/') return check_host(address.host);
  address.path = address.host + "/.s.PGSQL." + std::to_string(address.port);
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  Result<UrlParts> split = split_url(text);
  if (!split) return fail(split.error());
  if (split->scheme != "postgresql" && split->scheme != "postgres")
    return bad("it must start with \"postgresql://\" or \"postgres://\"");

  Url url;
  Place place;
  OptionErrors errors;
  const std::string_view authority = split->authority;
  const std::string_view database = split->path;
  if (database.find('@') != std::string_view::npos && authority.find(':') != std::string_view::npos)
    errors.add({.text = "a \"/\" in its user or password must be written as %2F"});
  else if (authority.substr(authority.rfind('@') + 1).find(',') != std::string_view::npos)
    errors.add({.text = "it names several hosts; only one is supported"});
  else if (Result<Authority> parts = split_authority(authority); errors.good(parts)) {
    url.user = parts->user.value_or("");
    url.password = parts->password.value_or("");
    place.host = std::move(parts->host);
    place.port = parts->port;
  }
  const bool has_parts = errors.empty();
  if (Result<std::string> decoded = percent_decoded(database, "database"); errors.good(decoded))
    url.database = std::move(*decoded);
  (void)errors.good(parse_query(split->query, url, place));
  if (has_parts) (void)errors.good(settle_place(place, url.address));
  if (has_parts && url.user.empty())
    errors.add({.kind = Problem::Kind::kMissing,
                .text = "it names no user: postgresql://USER@HOST/DATABASE"});
  if (Status status = errors.status(); !status) return fail(status.error());
  if (url.database.empty()) url.database = url.user;  // as libpq
  return url;
}

std::string Url::shown() const {
  return "postgresql " + address.text() + "/" + excerpt(database);
}

}  // namespace leat::postgres
