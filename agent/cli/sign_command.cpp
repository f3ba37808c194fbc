// leat sign
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "base/hex.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/key_file.h"
#include "cli/output.h"
#include "control/agent.h"
#include "control/auth/claims.h"
#include "control/commands/command.h"
#include "crypto/random_bytes.h"
#include "plan/control_key.h"

namespace leat {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

constexpr Positional kCommandName[] = {{"COMMAND"}};
constexpr Option kOptions[] = {
    {.name = "key", .required = true, .help = "Signs with the key in this file (leat keygen)."},
    {.name = "to",
     .type = OptionType::kStrings,
     .required = true,
     .help = "The agent that it is for, by agent.id, or a group of agents; may be given several "
             "times."},
    {.name = "kid",
     .help = "The name of the key in agent.control.keys. Without it, that of its file: \"ops\" of "
             "ops.key."},
    {.name = "arguments",
     .help =
         "Arguments of the command: a JSON object, a file that holds one, or \"-\" for standard "
         "input."},
    {.name = "config",
     .help = "For config.set and config.check: the configuration in this file is the argument "
             "\"config\"."},
    {.name = "id",
     .help =
         "Its correlation id, which the answer has, too. Without it, one that nobody else has is "
         "made, and said."},
    {.name = "valid-for",
     .type = OptionType::kDuration,
     .fallback = "1h",
     .help = "An agent whose clock is right refuses it after that time.",
     .min = 1000}};

tl::unexpected<Error> wrong(std::string what) {
  return fail(ErrorKind::kUsage, std::move(what));
}

// "ops" of "/etc/leat/ops.key"
std::string name_of_file(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find('.', 1));
}

Result<Json> read_arguments(const CommandCall& call) {
  std::string text = call.options.string("arguments");
  std::string where = "--arguments";
  if (text.empty()) text = "{}";
  if (!text.starts_with('{')) {
    where = text;
    Result<std::string> file = read_text(text);
    if (!file) return fail(file.error());
    text = std::move(*file);
  }
  Json out = jws::parse_object(text);
  if (out == nullptr) return wrong(where + ": is no JSON object");
  const std::string& config = call.options.string("config");
  if (config.empty()) return out;
  Problems problems;
  const std::optional<std::string> written = config_text(config, problems);
  if (!written) return wrong(problem_lines(config, problems).front());
  cJSON_DeleteItemFromObjectCaseSensitive(out.get(), "config");
  cJSON_AddStringToObject(out.get(), "config", written->c_str());
  return out;
}

Result<std::string> correlation_of(const CommandCall& call) {
  const std::string& given = call.options.string("id");
  if (!given.empty()) return given;
  Result<std::string> bytes = random_bytes(8);
  if (!bytes) return fail(bytes.error());
  std::string out = "c-";
  append_hex(out, *bytes);
  return out;
}

Result<std::string> payload_of(const CommandCall& call, const std::string& correlation) {
  Result<Json> arguments = read_arguments(call);
  if (!arguments) return fail(arguments.error());
  std::string to;
  for (const std::string& one : call.options.strings("to"))
    to += (to.empty() ? "" : ",") + json_quoted(one);
  const int64_t now_us = call.environment.clock.unix_us();
  const int64_t expires = now_us / kSecondUs + call.options.duration("valid-for").count() / 1000;
  // Microseconds: so that several desks with one key need not agree on a number.
  std::string out = "{\"aud\":[" + to + "],\"jti\":" + json_quoted(correlation) +
                    ",\"counter\":" + std::to_string(now_us) +
                    ",\"exp\":" + std::to_string(expires) +
                    ",\"command\":" + json_quoted(call.word(0)) +
                    ",\"arguments\":" + printed(arguments->get()) + "}";
  if (!control::read_claims(out))
    return wrong("COMMAND and --id must be 1 to 64 of the characters A-Z a-z 0-9 . _ -");
  return out;
}

Result<std::string> signed_command(const CommandCall& call, const std::string& correlation) {
  const std::string& file = call.options.string("key");
  Result<jws::Key> key = read_key_file(file);
  if (!key) return fail(key.error());
  std::string kid = call.options.string("kid");
  if (kid.empty()) kid = name_of_file(file);
  if (!is_plain_id(kid)) return wrong("--kid must be 1 to 64 of the characters A-Z a-z 0-9 . _ -");
  Result<std::string> payload = payload_of(call, correlation);
  if (!payload) return payload;
  Result<std::string> text = jws::sign(*key, kid, *payload);
  if (!text) return wrong(file + ": " + text.error().message());
  if (text->size() > control::kLongestCommand)
    return wrong("with " + std::to_string(text->size()) + " bytes it is longer than the " +
                 std::to_string(control::kLongestCommand) + " that agents take");
  return text;
}

// Agents may be newer than this leat.
void warn_of_unknown(const std::string& command) {
  if (control::find_command(command) != nullptr) return;
  std::vector<std::string> names;
  for (const control::Command& one : control::commands()) names.emplace_back(one.name);
  const std::string near = nearest(command, names);
  complain("leat: this leat knows no command \"" + command + "\"" +
           (near.empty() ? "" : ", did you mean \"" + near + "\"?"));
}

int sign(const CommandCall& call) {
  const Result<std::string> correlation = correlation_of(call);
  const Result<std::string> text = correlation ? signed_command(call, *correlation) : correlation;
  if (!text) {
    complain("leat: " + text.error().message());
    return text.error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
  }
  warn_of_unknown(call.word(0));
  if (!call.options.has("id")) complain("leat: its correlation id is " + *correlation);
  // As it is published: mosquitto_pub -s would send the end of a line, too.
  print(*text + (::isatty(STDOUT_FILENO) == 1 ? "\n" : ""));
  return kExitDelivered;
}

}  // namespace

extern constexpr Command kSignCommand{
    .name = "sign",
    .words = kCommandName,
    .help =
        "Makes a signed command, to be published to an agent: leat sign pipeline.pause "
        "--arguments '{\"pipeline\": \"a\"}' --to gw-17 --key ops.key | mosquitto_pub -s -q 1 -t "
        "leat/gw-17/cmd.",
    .options = kOptions,
    .run = sign};

}  // namespace leat
