#include "protocols/mqtt/url.h"

#include <charconv>

namespace leat::mqtt {
namespace {

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return bad("it has a blank or a control character in it");
  Url url;
  url.shown = text;
  if (take_prefix(text, "unix://")) {
    if (!text.starts_with('/')) return bad("write unix:///path/of/the/socket");
    url.address.path = text;
    return url;
  }
  url.tls = take_prefix(text, "mqtts://");
  if (!url.tls && !take_prefix(text, "mqtt://"))
    return bad("it must start with \"mqtt://\", \"mqtts://\" or \"unix://\"");
  url.address.port = url.tls ? 8883 : 1883;
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find('@') != std::string_view::npos)
    return bad("it must not hold a user or a password: use \"user\" and \"password\"");
  if (text.find_first_of("/?#") != std::string_view::npos)
    return bad("nothing may follow the port: use \"topics\" or \"topic\" for the topic");
  std::string_view port;
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("the \"[\" of an IPv6 address is not closed");
    url.address.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && !take_prefix(port, ":")) return bad("only a port may follow \"]\"");
  } else {
    size_t colon = text.find(':');
    if (colon != text.rfind(':')) return bad("an IPv6 address must stand in [ ]");
    url.address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (url.address.host.empty()) return bad("it has no host");
  if (!port.empty()) {
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.address.port);
    if (error != std::errc() || end != port.data() + port.size() || url.address.port == 0)
      return bad("its port is not a number from 1 to 65535");
  }
  url.shown = (url.tls ? "mqtts://" : "mqtt://") + url.address.text();
  return url;
}

}  // namespace leat::mqtt
