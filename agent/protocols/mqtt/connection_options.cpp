#include "protocols/mqtt/connection_options.h"

#include "base/text.h"
#include "options/option_errors.h"

namespace leat::mqtt {
namespace {

constexpr std::string_view kTexts[] = {"clientId", "user", "password"};

Status check_text(const Options& options, std::string_view name) {
  const std::string& text = options.string(name);
  if (text.size() > kLongestText) return fail_option(options, name, "longer than 65535 bytes");
  if (name != "password" && (!is_utf8(text) || text.find('\0') != std::string::npos))
    return fail_option(options, name, "must be text (UTF-8, without null characters)");
  return {};
}

}  // namespace

Result<SessionConfig> session_config(const Options& options) {
  SessionConfig out;
  OptionErrors errors;
  if (Result<Url> url = Url::parse(options.string("url"))) {
    out.url = std::move(*url);
    if (options.has("tls") && !out.url.tls)
      errors.add(options, "tls", "does nothing without mqtts:// in \"url\"",
                 Problem::Kind::kUnused);
  } else {
    errors.add(options, "url", url.error());
  }
  for (std::string_view name : kTexts) (void)errors.good(check_text(options, name));
  out.fall_back = options.string("version") == "auto";
  out.connect.version = options.string("version") == "3.1.1" ? Version::k311 : Version::k5;
  out.connect.client_id = options.string("clientId");
  out.connect.user = options.string("user");
  out.connect.password = options.string("password");
  if (!out.connect.password.empty() && out.connect.user.empty() &&
      out.connect.version == Version::k311)
    errors.add(options, "password", "needs \"user\" with version 3.1.1");
  int64_t keep_alive = options.duration("keepAlive").count();
  if (keep_alive % 1000 != 0)
    errors.add(options, "keepAlive", "must be whole seconds, such as \"60s\"");
  out.connect.keep_alive = static_cast<uint16_t>(keep_alive / 1000);
  out.connect_timeout = options.duration("connectTimeout");
  out.timeout = options.duration("timeout");
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

Status check_files(const Options& options) {
  Result<Url> url = Url::parse(options.string("url"));
  return url && url->tls ? TlsContext::check(options.object("tls")) : Status();
}

// Any text is allowed [MQTT-3.1.3-4], but access rules of brokers are patterns over topics with the
// client id in them, so what means something there is replaced.
std::string default_client_id(std::string_view agent, std::string_view what,
                              std::string_view suffix) {
  std::string id = "leat-" + std::string(agent) + "-" + std::string(what) + std::string(suffix);
  for (char& c : id)
    if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '+' || c == '#' || c == 0x7F)
      c = '_';
  return id;
}

}  // namespace leat::mqtt
