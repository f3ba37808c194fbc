#include "net/authority.h"

#include <arpa/inet.h>
#include <uv.h>

#include <charconv>
#include <utility>

#include "base/hex.h"

namespace leat {
namespace {

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// "fe80::1", or with the interface that it holds for: "fe80::1%eth0".
bool is_ipv6(std::string_view host) {
  size_t percent = host.find('%');
  std::string address(host.substr(0, percent));
  unsigned char bytes[16];
  if (uv_inet_pton(AF_INET6, address.c_str(), bytes) != 0) return false;
  if (percent == std::string_view::npos) return true;
  std::string_view zone = host.substr(percent + 1);
  for (char c : zone)
    if (!is_name_character(c)) return false;
  return !zone.empty();
}

// What ends in a number is an IPv4 address, or a mistyped one: no name of the Internet does.
Status check_number(std::string_view host, std::string_view last_label) {
  if (last_label.find_first_not_of("0123456789") != std::string_view::npos) return {};
  in_addr address;
  if (inet_aton(std::string(host).c_str(), &address) != 0) return {};
  return bad("its host is no IPv4 address, though it ends in a number");
}

Status decode_into(std::optional<std::string>& out, std::string_view text, std::string_view part) {
  Result<std::string> value = percent_decoded(text, part);
  if (!value) return fail(value.error());
  out = std::move(*value);
  return {};
}

}  // namespace

Status check_host(std::string_view host) {
  if (host.empty()) return bad("it has no host");
  if (host.find(':') != std::string_view::npos) {
    if (is_ipv6(host)) return {};
    return bad("what stands in [ ] is not an IPv6 address");
  }
  for (char c : host) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return bad("its host has a letter outside ASCII: write the name as it is looked up, xn--…");
    if (!is_name_character(c))
      return bad(std::string("its host has a \"") + c +
                 "\" in it: a name has letters, digits, \"-\", \"_\" and \".\"");
  }
  // RFC 1035 section 2.3.4, as text. A dot at the end says that the name is whole.
  constexpr size_t kLongestName = 253;
  constexpr size_t kLongestLabel = 63;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kLongestName)
    return bad("its host is longer than a name can be: 253 characters");
  std::string_view label;
  for (size_t at = 0; at <= host.size(); at += label.size() + 1) {
    label = host.substr(at, host.find('.', at) - at);
    if (label.empty()) return bad("its host has nothing between two dots, or before the first");
    if (label.size() > kLongestLabel)
      return bad("its host has more than 63 characters between two dots: no name has");
  }
  return check_number(host, label);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Status parse_port(std::string_view text, uint16_t& port) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0)
    return bad("its port is not a number from 1 to 65535");
  return {};
}

Result<std::string> percent_decoded(std::string_view text, std::string_view part) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int byte = hex_byte(text, i + 1);
    if (byte < 0)
      return bad("its " + std::string(part) +
                 " has a \"%\" that is not followed by two hexadecimal digits: write %25 for a "
                 "percent sign");
    if (byte == 0) return bad("its " + std::string(part) + " has a %00 in it");
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      append_hex(out, static_cast<uint8_t>(c), kUpperHexDigits);
    }
  }
  return out;
}

Result<UrlParts> split_url(std::string_view text) {
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return bad("it has a blank or a control character in it: write %20 for a blank");
  UrlParts out;
  if (const size_t end = text.find("://"); end != std::string_view::npos) {
    out.scheme = text.substr(0, end);
    text.remove_prefix(end + 3);
  }
  if (const size_t end = text.find('?'); end != std::string_view::npos) {
    out.query = text.substr(end + 1);
    text = text.substr(0, end);
  }
  const size_t slash = text.find('/');
  out.authority = text.substr(0, slash);
  if (slash != std::string_view::npos) out.path = text.substr(slash + 1);
  return out;
}

Result<std::pair<std::string, std::string>> take_parameter(std::string_view& query) {
  const size_t end = query.find('&');
  const std::string_view item = query.substr(0, end);
  query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos) return bad("a parameter behind \"?\" has no \"=\"");
  Result<std::string> name = percent_decoded(item.substr(0, equals), "query");
  if (!name) return fail(name.error());
  Result<std::string> value = percent_decoded(item.substr(equals + 1), "query");
  if (!value) return fail(value.error());
  return std::pair(std::move(*name), std::move(*value));
}

Result<Authority> split_authority(std::string_view text) {
  Authority out;
  if (size_t at = text.rfind('@'); at != std::string_view::npos) {
    std::string_view user = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (user.find('@') != std::string_view::npos)
      return bad("a \"@\" in its user or password must be written as %40");
    size_t colon = user.find(':');
    if (Status status = decode_into(out.user, user.substr(0, colon), "user"); !status)
      return fail(status.error());
    if (colon != std::string_view::npos)
      if (Status status = decode_into(out.password, user.substr(colon + 1), "password"); !status)
        return fail(status.error());
  }
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("the \"[\" of an IPv6 address is not closed");
    out.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (!text.empty() && text.front() != ':') return bad("nothing but a port may follow \"]\"");
    size_t zone = out.host.find("%25");
    if (zone != std::string::npos && zone + 3 < out.host.size()) out.host.erase(zone + 1, 2);
    if (!is_ipv6(out.host)) return bad("what stands in [ ] is not an IPv6 address");
    if (!text.empty()) out.port = text.substr(1);
    return out;
  }
  size_t colon = text.find(':');
  if (colon != text.rfind(':')) return bad("an IPv6 address must stand in [ ]");
  if (colon != std::string_view::npos) out.port = text.substr(colon + 1);
  Result<std::string> host = percent_decoded(text.substr(0, colon), "host");
  if (!host) return fail(host.error());
  out.host = std::move(*host);
  return out;
}

Status parse_authority(std::string_view text, Address& address) {
  Result<Authority> parts = split_authority(text);
  if (!parts) return fail(parts.error());
  if (parts->user) return bad("it must not hold a user or a password");
  if (Status status = check_host(parts->host); !status) return status;
  address.host = std::move(parts->host);
  return parts->port.empty() ? Status{} : parse_port(parts->port, address.port);
}

}  // namespace leat
