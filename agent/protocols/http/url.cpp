#include "protocols/http/url.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace leat::http {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

bool starts_with(std::string_view text, std::string_view lower_case_prefix) {
  return text.size() >= lower_case_prefix.size() &&
         std::equal(
             lower_case_prefix.begin(), lower_case_prefix.end(), text.begin(),
             [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

// "host", "host:8080", "[::1]" or "[::1]:8080".
Status parse_authority(std::string_view text, Address& address) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("the \"[\" of an IPv6 address is not closed");
    address.host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad("nothing but a port may follow \"]\"");
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    size_t colon = text.find(':');
    if (colon != text.rfind(':')) return bad("an IPv6 address must stand in [ ]");
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (address.host.empty()) return bad("it has no host");
  if (port.empty()) return {};
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || address.port == 0)
    return bad("its port is not a number from 1 to 65535");
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  Url url;
  url.https = starts_with(text, kHttps);
  if (!url.https && !starts_with(text, kHttp))
    return bad("it must start with \"http://\" or \"https://\"");
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return bad("it has a blank or a control character in it: write %20 for a blank");
  text.remove_prefix(url.https ? kHttps.size() : kHttp.size());
  text = text.substr(0, text.find('#'));  // a fragment is not sent (RFC 9110 section 4.2.5)

  size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return bad("it must not hold a user or a password: use \"auth\"");
  const uint16_t scheme_port = url.https ? 443 : 80;
  url.address.port = scheme_port;
  if (Status status = parse_authority(authority, url.address); !status) return fail(status.error());

  std::string host = url.address.text();  // always with a port
  if (url.address.port == scheme_port) host.erase(host.rfind(':'));
  url.host_header = host;
  url.target = text.substr(end);
  if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
  url.shown = (url.https ? "https://" : "http://") + url.host_header +
              url.target.substr(0, url.target.find('?'));
  return url;
}

}  // namespace leat::http
