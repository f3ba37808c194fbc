#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "control/commands/functions.h"
#include "control/supervisor.h"

namespace leat::control {
namespace {

struct Call {
  std::string_view command;
  Status (Supervisor::*call)(const std::string& pipeline);
};
constexpr Call kCalls[] = {
    {"pipeline.pause", &Supervisor::pause},     {"pipeline.resume", &Supervisor::resume},
    {"pipeline.start", &Supervisor::start},     {"pipeline.stop", &Supervisor::stop},
    {"pipeline.mount", &Supervisor::mount},     {"pipeline.unmount", &Supervisor::unmount},
    {"pipeline.restart", &Supervisor::restart}, {"pipeline.kick", &Supervisor::kick}};

}  // namespace

void tell_pipeline(const Targets& targets, const Request& request, const Reply& reply) {
  const std::string& pipeline = request.text("pipeline");
  const std::string what(request.command.name.substr(request.command.name.find('.') + 1));
  const auto* found = std::ranges::find(kCalls, request.command.name, &Call::command);
  // "NAME~3" is a run that was asked for.
  const std::string configured = pipeline.substr(0, pipeline.find('~'));
  if (!std::ranges::any_of(targets.supervisor.config().pipelines,
                           [&](const PipelineConfig& one) { return one.name == configured; }))
    return reply(failed(Fault::kUnknown, "there is no pipeline \"" + pipeline + "\""));
  const auto call = request.flag("now") ? &Supervisor::stop_now : found->call;
  if (Status told = (targets.supervisor.*call)(pipeline); !told) return reply(failed(told.error()));
  log::info(pipeline, "told to " + what);
  // When it is on the disk, since it is to hold.
  targets.supervisor.journal().flush([reply, said = pipeline + ": " + what] { reply(done(said)); });
}

}  // namespace leat::control
