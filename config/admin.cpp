#include "config/admin.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config/stages.h"
#include "net/authority.h"
#include "net/tls.h"

namespace leat {
namespace {

constexpr size_t kShortestToken = 16;

#ifdef LEAT_ADMIN
constexpr bool kIsHere = true;
#else
constexpr bool kIsHere = false;
#endif

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_address(const std::string& host) {
  if (host.find(':') != std::string::npos) return true;  // a name has none
  return !host.empty() &&
         std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

AdminConfig load_admin(const Options& options, Problems& problems, bool open_files) {
  AdminConfig out;
  if (!kIsHere) {
    problems.add({.path = options.path(), .text = "is not in this build"});
    return out;
  }
  out.tokens = options.strings("tokens");
  out.has_tls = options.has("tls");
  out.tls = options.object("tls");
  Address address;
  const std::string& listen = options.string("listen");
  Status parsed = parse_authority(listen, address);
  if (!parsed || address.port == 0 || (address.host != "localhost" && !is_address(address.host))) {
    problems.add({.kind = Problem::Kind::kType,
                  .path = options.path("listen"),
                  .wanted = "an IP address and a port such as \"127.0.0.1:8480\"",
                  .found = json_quoted(listen)});
  } else if (!is_loopback(address.host) && (!out.has_tls || out.tokens.empty())) {
    problems.add({.path = options.path("listen"),
                  .text = "\"" + listen +
                          "\" can be reached by others, which needs \"tokens\" and "
                          "\"tls\"; only 127.0.0.1 and [::1] do without"});
  }
  if (std::ranges::any_of(out.tokens, [](const auto& t) { return t.size() < kShortestToken; }))
    problems.add({.kind = Problem::Kind::kRange,
                  .path = options.path("tokens"),
                  .text = "each must have at least 16 characters, so that nobody guesses it"});
  if (out.has_tls && (!out.tls.has("cert") || !out.tls.has("key")))
    problems.add({.kind = Problem::Kind::kMissing,
                  .path = options.path("tls"),
                  .text = "needs \"cert\" and \"key\""});
  else if (out.has_tls && open_files)
    if (Status files = TlsContext::check_server(out.tls); !files)
      for (Problem& said : said_by_stage(out.tls.path(), files.error()))
        problems.add(std::move(said));
  out.host = std::move(address.host);
  out.port = address.port;
  return out;
}

}  // namespace leat
