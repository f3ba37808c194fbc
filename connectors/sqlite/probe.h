// `leat check --connect`: is the database one, with the table, and can it be written to? Nothing is
// made.
#pragma once

#include <memory>

#include "options/options.h"
#include "stage/probe.h"

namespace leat::sqlite {

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done);

}  // namespace leat::sqlite
