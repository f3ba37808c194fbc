// `leat check --connect`: does the broker let us in, and give us what the source asks for?
#pragma once

#include <memory>

#include "options/options.h"
#include "stage/probe.h"

namespace leat::mqtt {

// By a client id of its own ("-check" behind the real one), so that a running agent keeps its
// connection, and in a session that ends with it. What comes for the subscriptions is neither
// acknowledged nor taken from anybody.
std::unique_ptr<PeerProbe> probe_source(const Options& options, const ProbeContext& context,
                                        Probed done);
// Connects, and publishes nothing.
std::unique_ptr<PeerProbe> probe_sink(const Options& options, const ProbeContext& context,
                                      Probed done);

}  // namespace leat::mqtt
