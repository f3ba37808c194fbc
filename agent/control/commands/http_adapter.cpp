#include "control/commands/http_adapter.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "control/tap_stream.h"

namespace leat::control {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kLines = "application/x-ndjson";

using Arguments = std::map<std::string, std::string, std::less<>>;

std::string_view take_segment(std::string_view& path) {
  const size_t end = std::min(path.find('/', 1), path.size());
  std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// Whether `path` is of this form; what stands for its {…} joins `arguments`.
bool matches(std::string_view form, std::string_view path, Arguments* arguments = nullptr) {
  while (!form.empty() && !path.empty()) {
    std::string_view wanted = take_segment(form);
    std::string_view found = take_segment(path);
    if (wanted.starts_with("/{")) {
      wanted = wanted.substr(2, wanted.size() - 3);
      if (arguments != nullptr) (*arguments)[std::string(wanted)] = found.substr(1);
    } else if (wanted != found) {
      return false;
    }
  }
  return form.empty() && path.empty();
}

int status_of(const Answer& answer) {
  if (answer.state == Answer::State::kRunning) return 202;
  if (answer.state == Answer::State::kSucceeded) return answer.text.empty() ? 200 : 202;
  switch (answer.fault) {
    case Fault::kBadRequest:
      return answer.problems.empty() ? 400 : 422;
    case Fault::kUnknown:
      return 404;
    case Fault::kConflict:
      return 409;
    case Fault::kForbidden:
      return 403;
    case Fault::kUnavailable:
      break;
  }
  return 503;
}

void respond(const Answer& answer, const Command& command, http::Responder& to) {
  const int status = status_of(answer);
  if (!answer.problems.empty())
    return to.reply(status, kJson, "{\"ok\":false,\"problems\":" + answer.problems + "}\n");
  if (answer.state == Answer::State::kFailed || (answer.result.empty() && !command.lines))
    return to.reply(status, kText, answer.text + "\n");
  std::string body = answer.result;
  if (!body.empty() && body.back() != '\n') body += '\n';
  to.reply(status, command.lines ? kLines : kJson, std::move(body));
}

}  // namespace

bool shows_contents(std::string_view path) {
  return std::ranges::any_of(commands(), [path](const Command& one) {
    return one.contents && matches(one.http.path, path);
  });
}

bool answer_over_http(const Targets& targets, const Caller& caller,
                      const http::ServerRequest& request,
                      const std::shared_ptr<http::Responder>& responder) {
  const Command* command = nullptr;
  std::string others;  // methods that are not this one
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Command& one : commands()) {
    if (!matches(one.http.path, request.path)) continue;
    if (one.http.method == method) command = &one;
    others += (others.empty() ? "" : ", ") + std::string(one.http.method);
  }
  if (others.empty()) return false;
  if (command == nullptr) {
    responder->reply(405, kText, "only " + others + "\n", "Allow: " + others + "\r\n");
    return true;
  }
  Request asked{.command = *command, .caller = caller};
  for (const auto& [name, value] : request.query) asked.arguments.emplace(name, value);
  matches(command->http.path, request.path, &asked.arguments);
  for (const Parameter& one : command->parameters)
    if (one.type == Parameter::Type::kConfig && (one.required || !request.body.empty()))
      asked.arguments[std::string(one.name)] = request.body;
  if (command->stream && may(caller.role, command->role)) {
    if (std::optional<Answer> unknown = unknown_argument(asked)) {
      respond(*unknown, *command, *responder);
      return true;
    }
    stream_tap(targets.supervisor, asked.text("pipeline"), request, responder);
    return true;
  }
  carry_out(targets, asked, [command, to = responder](const Answer& answer) mutable {
    if (to != nullptr) respond(answer, *command, *std::exchange(to, nullptr));
  });
  return true;
}

}  // namespace leat::control
