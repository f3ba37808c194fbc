#include "control/api.h"

#include <algorithm>
#include <string>

#include "base/log.h"
#include "control/chains_json.h"
#include "control/config_routes.h"
#include "control/metrics.h"
#include "control/snapshot_json.h"
#include "control/tap_stream.h"

namespace leat {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

struct Shown {
  const Snapshot& snapshot;
  const AgentConfig& config;
  const std::string& pipeline;  // that was asked for; "": none in particular
};
using Show = void (*)(const Shown& shown, http::Responder& to);

void show_status(const Shown& shown, http::Responder& to) {
  const auto& [snapshot, config, pipeline] = shown;
  if (!pipeline.empty() && std::ranges::find(snapshot.pipelines, pipeline,
                                             &PipelineSnapshot::name) == snapshot.pipelines.end())
    return to.reply(404, kText, "no pipeline is called \"" + pipeline + "\"\n");
  to.reply(200, kJson, json_of(snapshot, pipeline));
}

#ifdef LEAT_ADMIN
void show_chains(const Shown& shown, http::Responder& to) {
  to.reply(200, kJson, chains_json(shown.snapshot, shown.config));
}

void show_stats(const Shown& shown, http::Responder& to) {
  to.reply(200, kJson, stats_json(shown.snapshot));
}

#endif

void show_metrics(const Shown& shown, http::Responder& to) {
  to.reply(200, "text/plain; version=0.0.4; charset=utf-8", metrics_of(shown.snapshot));
}

void show_health(const Shown& shown, http::Responder& to) {
  std::string text;
  for (const std::string& trouble : troubles_of(shown.snapshot)) text += trouble + "\n";
  bool well = text.empty();
  to.reply(well ? 200 : 503, kText, well ? "ok\n" : std::move(text));
}

void show_ready(const Shown& shown, http::Responder& to) {
  const Snapshot& snapshot = shown.snapshot;
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
    {"/api/v1/status", show_status},
#ifdef LEAT_ADMIN
    {"/api/v1/pipelines", show_chains}, {"/api/v1/stats", show_stats},
#endif
    {"/metrics", show_metrics},         {"/health", show_health},      {"/ready", show_ready}};

constexpr std::string_view kPipelines = "/api/v1/pipelines/";

struct Command {
  std::string_view name;
  Status (Supervisor::*call)(const std::string& pipeline);
};
constexpr Command kCommands[] = {{"pause", &Supervisor::pause},
                                 {"resume", &Supervisor::resume},
                                 {"restart", &Supervisor::restart},
                                 {"kick", &Supervisor::kick}};

}  // namespace

// "/api/v1/pipelines/NAME/COMMAND". False: this is another path.
bool Api::of_pipeline(const http::ServerRequest& request,
                      const std::shared_ptr<http::Responder>& responder) {
  std::string_view rest = request.path;
  if (!rest.starts_with(kPipelines)) return false;
  rest.remove_prefix(kPipelines.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string pipeline(rest.substr(0, slash));
  if (rest.substr(slash + 1) == "tap" && request.method == "GET") {
    stream_tap(supervisor_, pipeline, request, responder);
    return true;
  }
  const auto* found = std::ranges::find(kCommands, rest.substr(slash + 1), &Command::name);
  if (found == std::end(kCommands)) return false;
  if (request.method != "POST") {
    responder->reply(405, kText, "only POST\n", "Allow: POST\r\n");
    return true;
  }
  Status done = (supervisor_.*found->call)(pipeline);
  if (done) {
    log::info(pipeline, "told to " + std::string(found->name));
    responder->reply(202, kText, pipeline + ": " + std::string(found->name) + "\n");
  } else {
    responder->reply(409, kText, done.error().message() + "\n");
  }
  return true;
}

void Api::answer(const http::ServerRequest& request, std::shared_ptr<http::Responder> responder) {
  if (of_pipeline(request, responder)) return;
  if (answer_of_config(configs_, who_, request, responder)) return;
  const auto* route = std::ranges::find(kRoutes, std::string_view(request.path), &Route::path);
  if (route == std::end(kRoutes))
    return responder->reply(404, kText, "there is nothing at " + request.path + "\n");
  if (request.method != "GET" && request.method != "HEAD")
    return responder->reply(405, kText, "only GET\n", "Allow: GET, HEAD\r\n");
  supervisor_.snapshot([&supervisor = supervisor_, show = route->show,
                        pipeline = std::string(request.parameter("pipeline")),
                        to = std::move(responder)](const Snapshot& snapshot) {
    show({snapshot, supervisor.config(), pipeline}, *to);
  });
}

}  // namespace leat
