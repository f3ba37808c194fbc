#include "protocols/mqtt/url.h"

#include "net/authority.h"

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
  if (Status status = parse_authority(text, url.address); !status) return fail(status.error());
  url.shown = (url.tls ? "mqtts://" : "mqtt://") + url.address.text();
  return url;
}

}  // namespace leat::mqtt
