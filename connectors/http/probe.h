// `leat check --connect`: connects, and makes the TLS handshake; no request is sent.
#pragma once

#include <memory>

#include "options/options.h"
#include "stage/probe.h"

namespace leat::http {

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done);

}  // namespace leat::http
