// leat keygen
#include <optional>
#include <string>

#include "base/base64url.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/journal_access.h"
#include "cli/key_file.h"
#include "cli/output.h"
#include "control/agent.h"
#include "control/auth/sealing_key.h"
#include "crypto/random_bytes.h"

namespace leat {
namespace {

constexpr size_t kSecretBytes = 32;  // as long as the hash: RFC 7518 section 3.2

constexpr std::string_view kAlgorithms[] = {"ES256", "HS256"};
constexpr Option kOptions[] = {
    {.name = "algorithm",
     .fallback = "ES256",
     .help =
         "ES256: a pair of keys, of which agents need only the public one. HS256: a secret, which "
         "they need, too; it costs them less time.",
     .choices = kAlgorithms},
    {.name = "agent",
     .type = OptionType::kBool,
     .help = "In the place of FILE: prints the public key of the agent that has this data folder, "
             "to which secrets in its configuration are sealed (leat seal); makes the pair where "
             "there is none."},
    kAskedConfigOption,
    kAskedDataDirOption};
constexpr Positional kFile[] = {{"FILE", false}};

int refuse(const Error& error) {
  complain("leat: " + error.message());
  return error.kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
}

int show_key_of_agent(const CommandCall& call) {
  const std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  if (Result<bool> there = become_owner_of(*data_dir); !there || !*there)
    return refuse(there ? Error(ErrorKind::kUsage, "there is no data folder " + *data_dir)
                        : there.error());
  const Result<P256Key> key = control::sealing_key(*data_dir);
  if (!key) return refuse(key.error());
  print(key->public_pem());
  return kExitDelivered;
}

int keygen(const CommandCall& call) {
  const std::string file = call.word(0);
  if (file.empty() != call.options.boolean("agent"))
    return refuse(Error(ErrorKind::kUsage, "keygen: write either FILE or --agent"));
  if (file.empty()) return show_key_of_agent(call);
  std::string secret;
  std::string open_half;
  if (call.options.string("algorithm") == "HS256") {
    Result<std::string> bytes = random_bytes(kSecretBytes);
    if (!bytes) return refuse(bytes.error());
    secret = to_base64url(*bytes) + "\n";
  } else {
    Result<P256Key> pair = P256Key::make();
    if (!pair) return refuse(pair.error());
    secret = pair->private_pem();
    open_half = pair->public_pem();
  }
  if (Status written = write_key_file(file, secret); !written) return refuse(written.error());
  print(open_half);
  complain("leat: " + file +
           (open_half.empty() ? " is the secret, for whoever signs and for agent.control.keys of "
                                "the agents"
                              : " is the private key, for whoever signs; the public one above is "
                                "for agent.control.keys of the agents"));
  return kExitDelivered;
}

}  // namespace

extern constexpr Command kKeygenCommand{
    .name = "keygen",
    .words = kFile,
    .help =
        "Makes a key that signs commands from afar (leat sign), in a file that only its owner can "
        "read. The public half, of a pair, is printed.",
    .options = kOptions,
    .run = keygen};

}  // namespace leat
