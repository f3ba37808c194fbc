// What can be asked of a running agent over HTTP, whichever way the request came.
//
//   GET /api/v1/status               everything (Snapshot), as JSON
//   GET /api/v1/status?pipeline=P    only that pipeline
//   GET /api/v1/pipelines            what they are made of (control/chains_json.h)
//   GET /api/v1/stats                what was counted since the start (stats_json())
//   GET /metrics                     for Prometheus
//   GET /health                      200, or 503 with what is wrong, a line each
//   GET /ready                       200 when every pipeline has begun
//   GET /api/v1/pipelines/P/tap      records of it as they pass (control/tap_stream.h)
//   POST /api/v1/pipelines/P/pause   or resume, restart, kick: as the Supervisor's
//   …    /api/v1/config…             read, checked, taken over and back (control/config_routes.h)
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "control/config_manager.h"
#include "control/supervisor.h"
#include "protocols/http/server.h"

namespace leat {

class Api {
 public:
  // Both must outlive it; Responders are answered from their snapshots. `who`: where its requests
  // come from, for the history of configurations.
  Api(Supervisor& supervisor, ConfigManager& configs, std::string who)
      : supervisor_(supervisor), configs_(configs), who_(std::move(who)) {}

  void answer(const http::ServerRequest& request, std::shared_ptr<http::Responder> responder);

 private:
  bool of_pipeline(const http::ServerRequest& request,
                   const std::shared_ptr<http::Responder>& responder);

  Supervisor& supervisor_;
  ConfigManager& configs_;
  const std::string who_;
};

}  // namespace leat
