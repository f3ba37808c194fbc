#include "protocols/http/url.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/hex.h"
#include "net/authority.h"

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

// A path and a query may hold these (RFC 3986 section 3.3 and 3.4), and "%" with two hexadecimal
// digits; what else people write goes out encoded, as browsers do it.
bool may_stand(char c) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:@/?";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

Result<std::string> encoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (hex_byte(text, i + 1) < 0)
        return bad(
            "it has a \"%\" that is not followed by two hexadecimal digits: write %25 for a "
            "percent "
            "sign");
      out += c;
    } else if (may_stand(c)) {
      out += c;
    } else {
      out += '%';
      append_hex(out, static_cast<uint8_t>(c), kUpperHexDigits);
    }
  }
  return out;
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

  // The zone of a link-local address means something on this machine only (RFC 6874 section 3).
  Address shown = url.address;
  shown.host = shown.host.substr(0, shown.host.find('%'));
  std::string host = shown.text();  // always with a port
  if (url.address.port == scheme_port) host.erase(host.rfind(':'));
  url.host_header = host;
  Result<std::string> target = encoded(text.substr(end));
  if (!target) return fail(target.error());
  url.target = std::move(*target);
  if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
  url.shown = (url.https ? "https://" : "http://") + url.host_header +
              url.target.substr(0, url.target.find('?'));
  return url;
}

}  // namespace leat::http
