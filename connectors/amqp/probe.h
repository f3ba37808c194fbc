// `leat check --connect`: does the broker let us in, and has it what the stage needs?
#pragma once

#include <memory>

#include "options/options.h"
#include "stage/probe.h"

namespace leat::amqp {

// Asks for the queue, and declares and consumes nothing.
std::unique_ptr<PeerProbe> probe_source(const Options& options, const ProbeContext& context,
                                        Probed done);
// Asks for the exchange, and publishes nothing.
std::unique_ptr<PeerProbe> probe_sink(const Options& options, const ProbeContext& context,
                                      Probed done);

}  // namespace leat::amqp
