#include "control/api.h"

#include <algorithm>
#include <string>
#include <utility>

#include "control/commands/http_adapter.h"
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

struct Route {
  std::string_view path;
  Show show;
};
constexpr Route kRoutes[] = {
    {"/metrics", show_metrics}, {"/health", show_health}, {"/ready", show_ready}};

}  // namespace

void Api::answer(const control::Caller& caller, const http::ServerRequest& request,
                 std::shared_ptr<http::Responder> responder) {
  if (control::answer_over_http(targets_, caller, request, responder)) return;
  const auto* route = std::ranges::find(kRoutes, std::string_view(request.path), &Route::path);
  if (route == std::end(kRoutes))
    return responder->reply(404, kText, "there is nothing at " + request.path + "\n");
  if (request.method != "GET" && request.method != "HEAD")
    return responder->reply(405, kText, "only GET\n", "Allow: GET\r\n");
  targets_.supervisor.snapshot([show = route->show, to = std::move(responder)](
                                   const Snapshot& snapshot) { show(snapshot, *to); });
}

}  // namespace leat
