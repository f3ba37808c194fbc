#include "connectors/amqp/connection_options.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "options/option_errors.h"

namespace leat::amqp {
namespace {

// Short strings [AMQP §4.2.5.3], and whatever librabbitmq's encoder is to be given.
void check_short(const Options& options, std::string_view name, OptionErrors& errors) {
  if (options.string(name).size() > kLongestShortText)
    errors.add(options, name, "longer than 255 bytes");
}

amqp_field_value_t value_of(std::string_view text) {
  amqp_field_value_t out{};
  if (text == "true" || text == "false") {
    out.kind = AMQP_FIELD_KIND_BOOLEAN;
    out.value.boolean = text == "true" ? 1 : 0;
    return out;
  }
  int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && code == std::errc() && end == text.data() + text.size()) {
    out.kind = AMQP_FIELD_KIND_I64;
    out.value.i64 = number;
    return out;
  }
  out.kind = AMQP_FIELD_KIND_UTF8;
  out.value.bytes = bytes_of(text);
  return out;
}

}  // namespace

bool Arguments::has(std::string_view name) const {
  return std::ranges::any_of(map_, [name](const auto& one) { return one.first == name; });
}

amqp_table_t Arguments::table() const {
  entries_.clear();
  for (const auto& [name, value] : map_) entries_.push_back({bytes_of(name), value_of(value)});
  return {static_cast<int>(entries_.size()), entries_.data()};
}

Result<SessionConfig> session_config(const Options& options) {
  SessionConfig out;
  OptionErrors errors;
  const std::vector<std::string>& urls = options.strings("urls");
  if (urls.empty())
    errors.add(options, "urls", "name at least one node of the broker", Problem::Kind::kEmpty);
  for (size_t i = 0; i < urls.size(); ++i) {
    const std::string path = path_of_index("urls", i);
    Result<Url> url = Url::parse(urls[i]);
    if (!url) {
      errors.add(options, path, url.error());
      continue;
    }
    if (!out.urls.empty() && out.urls.front().tls != url->tls)
      errors.add(options, path, "must be with TLS, or without, as the first is");
    out.urls.push_back(std::move(*url));
  }
  const bool tls = !out.urls.empty() && out.urls.front().tls;
  if (!out.urls.empty() && options.has("tls") && !tls)
    errors.add(options, "tls", "does nothing without amqps:// in \"urls\"", Problem::Kind::kUnused);
  out.external = options.string("auth") == "external";
  if (out.external && (!tls || options.string("tls.cert").empty()))
    errors.add(options, "auth",
               "\"external\" needs amqps:// and a certificate (\"tls\": {\"cert\", \"key\"})");
  check_short(options, "vhost", errors);
  if (options.string("vhost").empty())
    errors.add(options, "vhost", "must not be empty", Problem::Kind::kEmpty);
  out.vhost = options.string("vhost");
  out.user = options.string("user");
  out.password = options.string("password");
  // RabbitMQ's, which lets that user in from its own machine only.
  if (!options.has("password") && out.user == "guest") out.password = "guest";
  for (std::string_view name : {"user", "password"})
    if (options.string(name).size() > kLongestShortText ||
        options.string(name).find('\0') != std::string::npos)
      errors.add(options, name, "must be at most 255 bytes, without null characters");
  const int64_t heartbeat = options.duration("heartbeat").count();
  if (heartbeat % 1000 != 0)
    errors.add(options, "heartbeat", "must be whole seconds, such as \"60s\"");
  out.heartbeat = Milliseconds(heartbeat);
  out.connect_timeout = options.duration("connectTimeout");
  out.timeout = options.duration("timeout");
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

Status check_files(const Options& options) {
  const std::vector<std::string>& urls = options.strings("urls");
  const bool tls = !urls.empty() && urls.front().starts_with("amqps://");
  return tls ? TlsContext::check(options.object("tls")) : Status();
}

std::string connection_name(std::string_view agent, std::string_view pipeline,
                            std::string_view suffix) {
  return "leat " + std::string(agent) + " " + std::string(pipeline) + std::string(suffix);
}

}  // namespace leat::amqp
