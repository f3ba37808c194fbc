#include "protocols/amqp/url.h"

#include "net/authority.h"

namespace leat::amqp {
namespace {

constexpr uint16_t kPort = 5672;
constexpr uint16_t kTlsPort = 5671;

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return fail(ErrorKind::kUsage, "it has a blank or a control character in it");
  Url url;
  url.tls = text.starts_with("amqps://");
  if (!url.tls && !text.starts_with("amqp://"))
    return fail(ErrorKind::kUsage, "it must start with \"amqp://\" or \"amqps://\"");
  text.remove_prefix(text.find("//") + 2);
  if (text.find('@') != std::string_view::npos)
    return fail(ErrorKind::kUsage,
                "it must not hold a user or a password: use \"user\" and \"password\"");
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find_first_of("/?#") != std::string_view::npos)
    return fail(ErrorKind::kUsage,
                "nothing may follow the port: use \"vhost\" for the virtual host");
  url.address.port = url.tls ? kTlsPort : kPort;
  if (Status status = parse_authority(text, url.address); !status) return fail(status.error());
  url.shown = (url.tls ? "amqps://" : "amqp://") + url.address.text();
  return url;
}

}  // namespace leat::amqp
