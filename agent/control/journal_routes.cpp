#include "control/journal_routes.h"

#include <string>
#include <utility>

#include "base/log.h"

namespace leat {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPrefix = "/api/v1/";

}  // namespace

bool answer_of_journal(Supervisor& supervisor, const http::ServerRequest& request,
                       const std::shared_ptr<http::Responder>& responder) {
  std::string_view path = request.path;
  if (!path.starts_with(kPrefix)) return false;
  const Operation* operation = find_operation(path.substr(kPrefix.size()));
  if (operation == nullptr) return false;
  const std::string_view method = operation->changes ? "POST" : "GET";
  if (request.method != method) {
    responder->reply(405, kText, "only " + std::string(method) + "\n",
                     "Allow: " + std::string(method) + "\r\n");
    return true;
  }
  OperationRequest asked;
  for (const auto& [name, value] : request.query) asked.parameters[name] = value;
  asked.pipeline = asked.parameter("pipeline");
  if (operation->changes)
    log::info(asked.pipeline.empty() ? "leat" : asked.pipeline,
              "told to " + std::string(operation->name));
  supervisor.work_on_journal(*operation, std::move(asked), [responder](Result<std::string> answer) {
    if (answer) return responder->reply(200, "application/json", std::move(*answer));
    const bool usage = answer.error().kind() == ErrorKind::kUsage;
    responder->reply(usage ? 409 : 503, kText, answer.error().message() + "\n");
  });
  return true;
}

}  // namespace leat
