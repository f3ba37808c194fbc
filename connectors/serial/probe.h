// `leat check --connect`: opens the port with its settings and closes it. Nothing is read or sent.
// A port that a running agent has open is in use, and says so.
#pragma once

#include <memory>

#include "options/options.h"
#include "stage/probe.h"

namespace leat::serial {

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done);

}  // namespace leat::serial
