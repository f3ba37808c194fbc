#include "connectors/serial/probe.h"

#include <string>
#include <utility>

#include "connectors/serial/options.h"
#include "connectors/serial/port.h"

namespace leat::serial {

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done) {
  Result<Settings> settings = read_settings(options);
  if (!settings) return probe_that_failed(context.loop, settings.error(), std::move(done));
  auto open = [name = settings->port, line = settings->line]() -> Result<std::string> {
    Result<std::unique_ptr<Port>> port = Port::open(name, line);
    if (!port) return fail(port.error());
    const std::string& not_taken = (*port)->not_taken();
    return name + ": opened and closed" +
           (not_taken.empty() ? "" : "; the driver did not take " + not_taken);
  };
  return probe_in_pool(context.loop, open, std::move(done));
}

}  // namespace leat::serial
