#include "connectors/mqtt/connection_options.h"

#include "options/option_errors.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/mqtt/topic.h"

namespace leat::mqtt {
namespace {

Result<Will> read_will(const Options& will) {
  OptionErrors errors;
  if (Status status = check_topic(will.string("topic")); !status)
    errors.add(will, "topic", status.error());
  if (will.string("payload").size() > kLongestText)
    errors.add(will, "payload", "longer than 65535 bytes");
  if (Status status = errors.status(); !status) return fail(status.error());
  return Will{.topic = will.string("topic"),
              .payload = will.string("payload"),
              .qos = static_cast<uint8_t>(will.integer("qos")),
              .retain = will.boolean("retain")};
}

}  // namespace

Result<SessionConfig> connector_session(const Options& options) {
  OptionErrors errors;
  Result<SessionConfig> out = session_config(options);
  const bool good = errors.good(out);
  if (options.has("will")) {
    Result<Will> will = read_will(options.object("will"));
    if (errors.good(will) && good) out->connect.will = std::move(*will);
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

}  // namespace leat::mqtt
