#include <algorithm>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "control/commands/functions.h"
#include "control/supervisor.h"

namespace leat::control {
namespace {

void end_agent(const Targets& targets, const Request& request, bool again, const Reply& reply) {
  if (targets.supervisor.stopping())
    return reply(failed(Fault::kConflict, "the agent is about to stop"));
  // Once it has ended, it would be too late to find that out.
  if (again && targets.why_not_anew != nullptr)
    if (const std::string why = targets.why_not_anew(); !why.empty())
      return reply(failed(Fault::kConflict, "it cannot begin anew: " + why));
  // What is answered must be on its way before that.
  targets.supervisor.loop().post([&targets, who = request.caller.who, again] {
    log::info("leat", (again ? "told to restart, " : "told to shut down, ") + who);
    if (targets.end != nullptr) targets.end(again);
  });
  reply({.state = Answer::State::kRunning,
         .text = again ? "it ends in good order, and begins anew" : "it ends in good order"});
}

}  // namespace

void ping(const Targets& targets, const Request& /*request*/, const Reply& reply) {
  Supervisor& supervisor = targets.supervisor;
  reply(succeeded("{\"id\":" + json_quoted(supervisor.config().id) +
                  ",\"version\":" + json_quoted(supervisor.version()) + ",\"time\":" +
                  json_quoted(rfc3339(supervisor.loop().clock().unix_us() / 1000 * 1000)) + "}"));
}

void restart_agent(const Targets& targets, const Request& request, const Reply& reply) {
  end_agent(targets, request, true, reply);
}

void shut_down_agent(const Targets& targets, const Request& request, const Reply& reply) {
  end_agent(targets, request, false, reply);
}

void set_log_level(const Targets& /*targets*/, const Request& request, const Reply& reply) {
  if (request.has("level")) {
    const std::optional<log::Level> wanted = log::level_named(request.text("level"));
    if (!wanted)
      return reply(failed(Fault::kBadRequest, "level: debug, info, warn or error, found \"" +
                                                  excerpt(request.text("level")) + "\""));
    log::set_level(*wanted);
  }
  const std::string_view name = log::kLevelNames[static_cast<size_t>(log::level())];
  reply(succeeded("{\"level\":" + json_quoted(name) + "}"));
}

void show_log(const Targets& /*targets*/, const Request& request, const Reply& reply) {
  std::vector<std::string> lines = log::last_lines();
  const size_t wanted = request.has("lines") ? request.number("lines") : lines.size();
  std::string out;
  for (size_t i = lines.size() - std::min(wanted, lines.size()); i < lines.size(); ++i)
    out += (out.empty() ? "" : ",") + json_quoted(lines[i]);
  reply(succeeded("{\"lines\":[" + out + "]}"));
}

}  // namespace leat::control
