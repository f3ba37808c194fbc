#include "control/commands/command.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/text.h"

namespace leat::control {
namespace {

bool read_whole(std::string_view text, uint64_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// Over HTTP "dropped=1" is usual.
bool read_flag(std::string_view text, bool& out) {
  out = text == "true" || text == "1";
  return out || text == "false" || text == "0" || text.empty();
}

// "" when the argument is what the parameter takes; else what it should be.
std::string_view wanted(const Parameter& parameter, std::string_view argument) {
  uint64_t number = 0;
  bool flag = false;
  if (parameter.type == Parameter::Type::kWhole && !read_whole(argument, number))
    return "a whole number";
  if (parameter.type == Parameter::Type::kFlag && !read_flag(argument, flag))
    return "true or false";
  return "";
}

}  // namespace

std::string_view name_of(Fault fault) {
  constexpr std::string_view kNames[] = {"badRequest", "unknown", "conflict", "unavailable",
                                         "forbidden"};
  return kNames[static_cast<size_t>(fault)];
}

std::string_view name_of(Answer::State state) {
  constexpr std::string_view kNames[] = {"running", "succeeded", "failed", "rolledBack",
                                         "interrupted"};
  return kNames[static_cast<size_t>(state)];
}

Answer done(std::string text) {
  return {.text = std::move(text)};
}

Answer succeeded(std::string result) {
  return {.result = std::move(result)};
}

Answer failed(Fault fault, std::string why) {
  return {.state = Answer::State::kFailed, .text = std::move(why), .fault = fault};
}

Answer failed(const Error& error) {
  return failed(error.kind() == ErrorKind::kUsage ? Fault::kConflict : Fault::kUnavailable,
                error.message());
}

const std::string& Request::text(std::string_view name) const {
  static const std::string kNone;
  auto found = arguments.find(name);
  return found == arguments.end() ? kNone : found->second;
}

uint64_t Request::number(std::string_view name) const {
  uint64_t out = 0;
  return read_whole(text(name), out) ? out : 0;
}

bool Request::flag(std::string_view name) const {
  bool out = false;
  return read_flag(text(name), out) && out;
}

std::optional<Answer> unknown_argument(const Request& request) {
  std::vector<std::string> known;
  for (const Command& row : commands()) {
    if (row.name != request.command.name) continue;
    for (const Parameter& one : row.parameters) known.emplace_back(one.name);
  }
  for (const auto& [name, value] : request.arguments) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string near = nearest(name, known);
    return failed(Fault::kBadRequest, "\"" + excerpt(name) + "\" is no argument of " +
                                          std::string(request.command.name) +
                                          (near.empty() ? "" : ", did you mean \"" + near + "\"?"));
  }
  return std::nullopt;
}

void carry_out(const Targets& targets, const Request& request, const Reply& reply) {
  const Command& command = request.command;
  if (!may(request.caller.role, command.role))
    return reply(failed(Fault::kForbidden, std::string(command.name) + ": needs the role " +
                                               std::string(name_of(command.role)) +
                                               ", and who asks has " +
                                               std::string(name_of(request.caller.role))));
  // Without it, it might mean something else, such as another version to go back to.
  if (std::optional<Answer> unknown = unknown_argument(request)) return reply(*unknown);
  for (const Parameter& parameter : command.parameters) {
    auto given = request.arguments.find(parameter.name);
    if (given == request.arguments.end()) {
      if (!parameter.required) continue;
      return reply(failed(Fault::kBadRequest, std::string(parameter.name) + ": is missing"));
    }
    if (std::string_view right = wanted(parameter, given->second); !right.empty())
      return reply(failed(Fault::kBadRequest, std::string(parameter.name) + ": " +
                                                  std::string(right) + ", found \"" +
                                                  excerpt(given->second) + "\""));
  }
  command.run(targets, request, reply);
}

}  // namespace leat::control
