#include "control/api.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "control/commands/http_adapter.h"
#include "control/commands/openapi.h"
#include "control/metrics.h"
#include "control/snapshot_json.h"
#include "control/supervisor.h"

namespace leat {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

using Show = void (*)(const Snapshot& snapshot, http::Responder& to);

void show_metrics(const Snapshot& snapshot, http::Responder& to) {
  to.reply(200, "text/plain; version=0.0.4; charset=utf-8", metrics_of(snapshot));
}

void show_health(const Snapshot& snapshot, http::Responder& to) {
  std::string text;
  for (const std::string& trouble : troubles_of(snapshot)) text += trouble + "\n";
  bool well = text.empty();
  to.reply(well ? 200 : 503, kText, well ? "ok\n" : std::move(text));
}

void show_ready(const Snapshot& snapshot, http::Responder& to) {
  auto starting = [](const PipelineSnapshot& one) { return one.state == PipelineState::kStarting; };
  bool ready = !snapshot.stopping && snapshot.config_loaded_us != 0 &&
               std::ranges::none_of(snapshot.pipelines, starting);
  to.reply(ready ? 200 : 503, kText, ready ? "ready\n" : "not ready\n");
}

#ifdef LEAT_ADMIN
void show_openapi(const Snapshot& snapshot, http::Responder& to);
#endif

struct Route {
  control::HttpView view;
  Show show;
};
constexpr Route kRoutes[] = {
    {{"/metrics", "text/plain", "What Prometheus wants to know."}, show_metrics},
    {{.path = "/health",
      .type = "text/plain",
      .help = "Whether all is well; else what is in trouble, a line each.",
      .may_fail = true},
     show_health},
    {{.path = "/ready",
      .type = "text/plain",
      .help = "Whether every pipeline has begun.",
      .may_fail = true},
     show_ready},
#ifdef LEAT_ADMIN
    {{"/api/v1/openapi.json", "application/json", "This description."}, show_openapi},
#endif
};

#ifdef LEAT_ADMIN
void show_openapi(const Snapshot& snapshot, http::Responder& to) {
  std::vector<control::HttpView> views;
  for (const Route& one : kRoutes) views.push_back(one.view);
#ifdef LEAT_PAGE
  views.push_back({.path = "/",
                   .type = "text/html",
                   .help = "The page for browsers, packed by gzip; over agent.admin only.",
                   .open = true});
#endif
  to.reply(200, "application/json", control::openapi_json(snapshot.version, views));
}
#endif

}  // namespace

void Api::answer(const control::Caller& caller, const http::ServerRequest& request,
                 std::shared_ptr<http::Responder> responder) {
  if (control::answer_over_http(targets_, caller, request, responder)) return;
  const auto* route = std::ranges::find_if(
      kRoutes, [&request](const Route& one) { return one.view.path == request.path; });
  if (route == std::end(kRoutes))
    return responder->reply(404, kText, "there is nothing at " + request.path + "\n");
  if (request.method != "GET" && request.method != "HEAD")
    return responder->reply(405, kText, "only GET\n", "Allow: GET\r\n");
  targets_.supervisor.snapshot([show = route->show, to = std::move(responder)](
                                   const Snapshot& snapshot) { show(snapshot, *to); });
}

}  // namespace leat
