// leat seal
#include <string>

#include "cli/command.h"
#include "cli/output.h"
#include "config/config_files.h"
#include "control/agent.h"
#include "protocols/jws/jwe.h"

namespace leat {
namespace {

constexpr Option kOptions[] = {
    {.name = "key",
     .required = true,
     .help = "The public key of the agent that is to open it (leat keygen --agent)."}};

Result<std::string> sealed(const CommandCall& call) {
  const std::string& path = call.options.string("key");
  Result<std::string> pem = read_text(path);
  if (!pem) return pem;
  const Result<P256Key> key = P256Key::from_pem(*pem);
  if (!key) return fail(ErrorKind::kUsage, path + ": " + key.error().message());
  Result<std::string> secret = read_text("-");
  if (!secret) return secret;
  // As of ${file:…}: "echo" ends it with a newline.
  if (secret->ends_with('\n')) secret->pop_back();
  if (secret->ends_with('\r')) secret->pop_back();
  if (secret->empty()) return fail(ErrorKind::kUsage, "nothing came on standard input");
  return jwe::seal(*key, *secret);
}

int seal(const CommandCall& call) {
  const Result<std::string> out = sealed(call);
  if (!out) {
    complain("leat: " + out.error().message());
    return out.error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
  }
  print("${sealed:" + *out + "}\n");
  return kExitDelivered;
}

}  // namespace

extern constexpr Command kSealCommand{
    .name = "seal",
    .help =
        "Seals the secret on standard input for one agent, which alone can open it, and prints "
        "what stands for it in that agent's configuration: \"${sealed:…}\".",
    .options = kOptions,
    .run = seal};

}  // namespace leat
