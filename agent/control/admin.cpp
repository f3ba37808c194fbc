#include "control/admin.h"

#include <algorithm>
#include <utility>

#include "control/commands/http_adapter.h"
#ifdef LEAT_PAGE
#include "control/page.h"
#endif
#include "crypto/same_secret.h"
#include "net/authority.h"

namespace leat {
namespace {

// A handshake costs a small board some ten milliseconds of the loop that pipelines are on, too.
constexpr int kMostHandshakes = 10;  // a second

// A page of another site can have its name lead to this machine, and its visitor's browser ask
// here; but not under an address.
bool is_for_this_machine(std::string_view host) {
  Address address;
  if (!parse_authority(host, address)) return false;
  return address.host == "localhost" || address.host.find(':') != std::string::npos ||
         std::ranges::all_of(address.host,
                             [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

Access access_of(const http::ServerRequest& request, const std::vector<AdminToken>& tokens) {
  if (tokens.empty()) {
    const bool looks = (request.method == "GET" || request.method == "HEAD") &&
                       !control::shows_contents(request.path);  // for whoever may have them
    return {.refusal = looks && is_for_this_machine(request.header("host")) ? 0 : 403};
  }
  std::string_view given = request.header("authorization");
  constexpr std::string_view kBearer = "bearer ";
  const bool bearer =
      given.size() > kBearer.size() &&
      std::ranges::equal(given.substr(0, kBearer.size()), kBearer,
                         [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  if (bearer) given.remove_prefix(kBearer.size());
  Access out{.refusal = 401};
  for (const AdminToken& one : tokens)  // all of them, whichever it is
    if (same_secret(one.token, given) && bearer)
      out = {
          .refusal = 0,
          .caller = {.who = std::string(kOverAdmin) + (one.id.empty() ? "" : ", token " + one.id),
                     .role = one.role}};
  return out;
}

Admin::Admin(Loop& loop, const AdminConfig& config, std::unique_ptr<TlsContext> tls,
             const control::Targets& targets)
    : loop_(loop),
      config_(config),
      tls_(std::move(tls)),
      api_(targets),
      server_({.loop = loop,
               .handler =
                   [this](http::ServerRequest request, std::shared_ptr<http::Responder> responder) {
                     answer(std::move(request), std::move(responder));
                   },
               .tls = tls_.get(),
               .most_connections = 16,
               .longest_body = 256 * 1024,
               .patience = Milliseconds{10'000}}) {}

Result<std::unique_ptr<Admin>> Admin::open(Loop& loop, const AdminConfig& config,
                                           const control::Targets& targets) {
  std::unique_ptr<TlsContext> tls;
  if (config.has_tls) {
    Result<std::unique_ptr<TlsContext>> opened = TlsContext::open_server(config.tls, "admin");
    if (!opened) return fail(opened.error());
    tls = std::move(*opened);
  }
  return std::unique_ptr<Admin>(new Admin(loop, config, std::move(tls), targets));
}

Status Admin::listen() {
  Result<std::unique_ptr<Listener>> listener =
      Listener::open(loop_, {.host = config_.host, .port = config_.port},
                     [this](Socket::Ptr socket) { accept(std::move(socket)); });
  if (!listener) return fail(listener.error());
  listener_ = std::move(*listener);
  return {};
}

void Admin::accept(Socket::Ptr socket) {
  if (loop_.now() - second_ >= Milliseconds{1'000}) {
    second_ = loop_.now();
    accepted_ = 0;
  }
  if (tls_ != nullptr && ++accepted_ > kMostHandshakes) return;  // closed by its destructor
  server_.accept(std::move(socket));
}

void Admin::answer(http::ServerRequest request, std::shared_ptr<http::Responder> responder) {
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  const auto [refusal, caller] = access_of(request, config_.tokens);
#ifdef LEAT_PAGE
  // Who has no token yet is asked for it there.
  if (refusal != 403 && answer_page(request, *responder)) return;
#endif
  switch (refusal) {
    case 401:
      if (said_.due(loop_.clock().monotonic_us()))
        log::warn("admin", "a request without a token that is right was refused");
      return responder->reply(401, kText, "this needs a token\n",
                              "WWW-Authenticate: Bearer realm=\"leat\"\r\n");
    case 403:
      return responder->reply(403, kText, "without agent.admin.tokens, this is refused\n");
    default:
      return api_.answer(caller, request, std::move(responder));
  }
}

}  // namespace leat
