// What can be asked of a running agent: a row of one table (commands/table.cpp), which all ways in
// share (the socket and agent.admin, the control topic, signals). They turn what came into a
// Request, and an Answer into what goes out; what a command is called, takes, needs and does is
// said here alone.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/auth/role.h"

namespace leat {

class ConfigManager;
class Supervisor;

namespace control {

// Why a command failed; a promise, as the names of commands are.
enum class Fault {
  kBadRequest,   // an argument, or a configuration, is wrong
  kUnknown,      // there is nothing of that name
  kConflict,     // as things are now it cannot be done
  kUnavailable,  // the same may succeed later
  kForbidden,    // the caller's role is too low
};
// "badRequest"
std::string_view name_of(Fault fault);

struct Answer {
  enum class State {
    kRunning,  // it has begun; another answer comes
    kSucceeded,
    kFailed,
    kRolledBack,   // a configuration that was taken over, and did not do
    kInterrupted,  // the agent ended before it was done
  };
  State state = State::kSucceeded;
  std::string text = {};    // for people; "" when `result` says all
  std::string result = {};  // JSON (of commands with `lines`: a value a line); "" for none
  Fault fault = Fault::kConflict;
  std::string problems = {};  // a JSON list: what is wrong in a configuration; "" for none
};
// "rolledBack"
std::string_view name_of(Answer::State state);

Answer done(std::string text);
Answer succeeded(std::string result);
Answer failed(Fault fault, std::string why);
Answer failed(const Error& error);

// Called once, or with kRunning first and with the end later. Whoever asked may be gone then.
using Reply = std::function<void(const Answer&)>;

// Who asks, and by which way, for the log and the history of configurations: "over leat.sock".
struct Caller {
  std::string who;
  Role role = Role::kConfigure;
};

struct Parameter {
  enum class Type {
    kText,
    kWhole,   // number, 0 or more
    kFlag,    // true or false
    kConfig,  // a JSON object (a configuration, mostly), or its text; over HTTP the body
  };
  std::string_view name;
  Type type = Type::kText;
  bool required = false;
  std::string_view help = {};
};

struct Command;

struct Request {
  const Command& command;
  Caller caller;
  // As text, whatever their type; checked when the command gets them.
  std::map<std::string, std::string, std::less<>> arguments = {};

  bool has(std::string_view name) const { return arguments.contains(name); }
  const std::string& text(std::string_view name) const;  // "" when it is not given
  uint64_t number(std::string_view name) const;          // 0 when it is not given
  bool flag(std::string_view name) const;                // false when it is not given
};

// What commands act on. The agent makes it; all of it outlives whoever is to be answered.
struct Targets {
  Supervisor& supervisor;
  ConfigManager& configs;
  // The agent ends in good order, as with SIGTERM; `again`: it starts anew then.
  std::function<void(bool again)> end = nullptr;
  // Why it could not start anew; "" when it can.
  std::function<std::string()> why_not_anew = nullptr;
  // The file is read again, as with SIGHUP.
  std::function<void()> reload = nullptr;
};

// Where a command is found over HTTP: `{pipeline}` in a path is the argument of that name. Of the
// others each is a parameter of the query, but for one of kConfig.
struct HttpForm {
  std::string_view method;
  std::string_view path;
};

struct Command {
  std::string_view name;  // "pipeline.pause"
  Role role = Role::kRead;
  std::string_view help;  // a sentence
  std::span<const Parameter> parameters = {};
  HttpForm http;
  void (*run)(const Targets& targets, const Request& request, const Reply& reply) = nullptr;
  // The form of the result in agent/cli/output.schema.json (of each line of it); "": a text says
  // what was done.
  std::string_view gives = {};
  bool begins = false;    // answered when it has begun; over HTTP only so, else also at its end
  bool contents = false;  // of records or configurations: shown to nobody without a token
  bool lines = false;     // the result is a JSON value a line, and may be empty
  bool stream = false;    // over HTTP it goes on until the client has enough (control/tap_stream.h)
};

// A command may stand there twice, with another HTTP form.
std::span<const Command> commands();
// Null: there is none.
const Command* find_command(std::string_view name);

// The answer to an argument that the command does not take; nullopt when there is none.
std::optional<Answer> unknown_argument(const Request& request);

// Whether the caller may, and whether the arguments are what the command takes; then does it.
void carry_out(const Targets& targets, const Request& request, const Reply& reply);

}  // namespace control
}  // namespace leat
