#include "config/control.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config/stages.h"
#include "crypto/p256.h"
#include "options/option_errors.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/mqtt/topic.h"

namespace leat {
namespace {

constexpr size_t kShortestSecret = 32;  // RFC 7518 section 3.2: as long as the hash

#ifdef LEAT_CONTROL_TOPIC
constexpr bool kIsHere = true;
#else
constexpr bool kIsHere = false;
#endif

void complain(const std::string& path, std::string text, Problems& problems) {
  problems.add({.path = path, .text = std::move(text)});
}

void check_public_key(const Options& options, Problems& problems) {
  const Result<P256Key> key = P256Key::from_pem(options.string("publicKey"));
  if (!key) {
    complain(options.path("publicKey"), key.error().message(), problems);
  } else if (key->is_private()) {
    complain(options.path("publicKey"),
             "is a private key, which no agent should have: give its public half, which \"leat "
             "keygen\" printed",
             problems);
  }
}

// Something in it is known to be wrong: a variable that has no value, say.
bool is_complained_of(const Options& options, const Problems& problems) {
  return std::ranges::any_of(problems.all(), [&options](const Problem& problem) {
    return problem.path.starts_with(options.path() + ".") && !problem.warning;
  });
}

// The one of the two that is given, and fits the algorithm.
void load_key(const Options& options, ControlKey& out, Problems& problems) {
  if (is_complained_of(options, problems)) return;
  out.is_public = options.has("publicKey");
  if (out.is_public == options.has("secret"))
    return complain(options.path(), "needs either \"secret\" or \"publicKey\"", problems);
  const std::string_view algorithm = out.is_public ? "ES256" : "HS256";
  if (options.has("algorithm") && options.string("algorithm") != algorithm)
    return complain(options.path("algorithm"),
                    "is \"" + options.string("algorithm") + "\", but \"" +
                        (out.is_public ? "publicKey" : "secret") + "\" is for \"" +
                        std::string(algorithm) + "\"",
                    problems);
  out.key = options.string(out.is_public ? "publicKey" : "secret");
  if (out.is_public) return check_public_key(options, problems);
  // Of a pair, one half is known to all; who has it could sign.
  if (out.key.find("-----BEGIN") != std::string::npos)
    return complain(options.path("secret"),
                    "is a key in PEM format, which is no secret of HS256: a public key goes to "
                    "\"publicKey\"",
                    problems);
  if (out.key.size() < kShortestSecret)
    problems.add({.kind = Problem::Kind::kRange,
                  .path = options.path("secret"),
                  .text = "must have at least 32 characters, so that nobody guesses it (\"leat "
                          "keygen\" makes one)"});
}

// Parts of topics: the prefix may have levels, the name of a group is one.
void check_topics(const ControlConfig& control, const Options& options, Problems& problems) {
  const bool good = !control.prefix.starts_with('/') && !control.prefix.ends_with('/') &&
                    !control.prefix.starts_with('$') && mqtt::check_topic(control.prefix);
  if (!good && !is_complained_of(options, problems))
    complain(options.path("prefix"), "must be the beginning of a topic, such as \"leat\"",
             problems);
  for (size_t i = 0; i < control.groups.size(); ++i)
    if (!is_plain_id(control.groups[i]))
      complain(path_of_index(options.path("groups"), i),
               "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -", problems);
}

void take_problems(const Error& error, const Options& options, Problems& problems) {
  for (Problem& said : said_by_stage(options.path(), error)) problems.add(std::move(said));
}

}  // namespace

ControlConfig load_control(const Options& options, Problems& problems, bool open_files) {
  ControlConfig out;
  if (!kIsHere) {
    complain(options.path(), "is not in this build", problems);
    return out;
  }
  out.options = options;
  out.options.set("keys", std::vector<Options>());  // another key makes no other connection
  out.prefix = options.string("prefix");
  out.groups = options.strings("groups");
  out.max_reply = options.bytes("maxReply");
  check_topics(out, options, problems);
  if (options.has("url") && !is_complained_of(options, problems)) {
    const Result<mqtt::SessionConfig> session = mqtt::session_config(options);
    if (!session) take_problems(session.error(), options, problems);
    const Status files = session && open_files ? mqtt::check_files(options) : Status();
    if (!files) take_problems(files.error(), options, problems);
  }
  for (const Options& one : options.objects("keys")) {
    ControlKey key;
    key.id = one.string("id");
    key.role = role_named(one.string("role")).value_or(Role::kRead);
    if (one.has("id") && !is_plain_id(key.id))
      complain(one.path("id"), "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -", problems);
    if (std::ranges::find(out.keys, key.id, &ControlKey::id) != out.keys.end())
      problems.add({.kind = Problem::Kind::kTwice,
                    .path = one.path("id"),
                    .text = "\"" + excerpt(key.id) + "\" is the name of another key already"});
    load_key(one, key, problems);
    out.keys.push_back(std::move(key));
  }
  return out;
}

}  // namespace leat
