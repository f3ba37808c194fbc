// Asks the agent that runs on this machine, over the socket in its data folder.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"

namespace leat {

struct AgentAnswer {
  int status = 0;  // as in HTTP
  std::string body;
};

// Sends one request and waits for the answer, at most `patience`; `target` is "/api/v1/status" or
// the like. kUnavailable: no agent runs with this data folder. kFatal: one does, and does not
// answer: what is the agent's is not to be touched. kUsage: this user may not speak to it.
Result<AgentAnswer> ask_agent(const Clock& clock, const std::string& data_dir,
                              std::string_view method, std::string_view target,
                              std::string_view body = "",
                              Milliseconds patience = Milliseconds{10'000});

// How a command ends that had this error in the place of an answer.
int exit_code_of(const Error& error);

// The same for a command: the exit code when there is no good answer, and why on stderr; 0 with the
// answer in `body`.
int ask_or_complain(const Clock& clock, const std::string& data_dir, std::string_view method,
                    const std::string& target, std::string& body);

using ApiParameters = std::vector<std::pair<std::string, std::string>>;
// The body of a good answer to what a command asks, `path` "dead-letters/drop" or the like; an
// error with the first line of another, or kFatal as above. Nullopt: no agent runs.
std::optional<Result<std::string>> ask_api(const Clock& clock, const std::string& data_dir,
                                           std::string_view method, std::string_view path,
                                           const ApiParameters& parameters, std::string_view body,
                                           Milliseconds patience);

// GETs what has no end. `take` is given the body as it comes, until it returns false or the agent
// ends it. The answer's body is kept only when its status is not 200. Errors as above.
Result<AgentAnswer> stream_from_agent(const Clock& clock, const std::string& data_dir,
                                      std::string_view target,
                                      const std::function<bool(std::string_view)>& take);

}  // namespace leat
