#include <utility>

#include "base/log.h"
#include "control/commands/functions.h"
#include "control/supervisor.h"
#include "tools/operations.h"

namespace leat::control {

#ifdef LEAT_TOOLS
void work_on_journal(const Targets& targets, const Request& request, const Reply& reply) {
  constexpr std::string_view kPrefix = "/api/v1/";
  const Operation* operation = find_operation(request.command.http.path.substr(kPrefix.size()));
  OperationRequest asked{.pipeline = request.text("pipeline"), .parameters = request.arguments};
  // What they look at is whether one is there.
  for (const Parameter& one : request.command.parameters)
    if (one.type == Parameter::Type::kFlag && !request.flag(one.name))
      asked.parameters.erase(std::string(one.name));
  if (operation->changes)
    log::info(asked.pipeline.empty() ? "leat" : asked.pipeline,
              "told to " + std::string(operation->name));
  targets.supervisor.work_on_journal(*operation, std::move(asked),
                                     [reply](const Result<std::string>& answer) {
                                       reply(answer ? succeeded(*answer) : failed(answer.error()));
                                     });
}
#endif

}  // namespace leat::control
