#include "config/admin.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config/stages.h"
#include "net/authority.h"
#include "net/tls.h"
#include "plan/control_key.h"

namespace leat {
namespace {

constexpr size_t kShortestToken = 16;

#ifdef LEAT_ADMIN
constexpr bool kIsHere = true;
#else
constexpr bool kIsHere = false;
#endif

bool is_address(const std::string& host) {
  if (host.find(':') != std::string::npos) return true;  // a name has none
  return !host.empty() &&
         std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// A token or its name that stands there twice would be of two roles, or of two people.
void check_tokens(const std::vector<AdminToken>& tokens, const std::vector<Options>& options,
                  Problems& problems) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    const AdminToken& one = tokens[i];
    const std::string& path = options[i].path();
    if (options[i].has("token") && one.token.size() < kShortestToken)
      problems.add({.kind = Problem::Kind::kRange,
                    .path = path,
                    .text = "must have at least 16 characters, so that nobody guesses it"});
    if (options[i].has("id") && !is_plain_id(one.id))
      problems.add(
          {.path = path + ".id", .text = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"});
    for (size_t other = 0; other < i; ++other)
      if (tokens[other].token == one.token || (!one.id.empty() && tokens[other].id == one.id))
        problems.add({.kind = Problem::Kind::kTwice,
                      .path = path,
                      .text = "has the token or the id of " + options[other].path()});
  }
}

std::vector<AdminToken> load_tokens(const std::vector<Options>& options, Problems& problems) {
  std::vector<AdminToken> out;
  for (const Options& one : options) {
    AdminToken& token = out.emplace_back();
    token = {.token = one.string("token"), .id = one.string("id")};
    // One that is given as a string has none.
    if (one.has("role")) token.role = role_named(one.string("role")).value_or(Role::kRead);
  }
  check_tokens(out, options, problems);
  return out;
}

}  // namespace

AdminConfig load_admin(const Options& options, Problems& problems, bool open_files) {
  AdminConfig out;
  if (!kIsHere) {
    problems.add({.path = options.path(), .text = "is not in this build"});
    return out;
  }
  out.tokens = load_tokens(options.objects("tokens"), problems);
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
