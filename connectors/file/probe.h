// `leat check --connect`: are the files there and readable, and can the folder be written to?
// Nothing is made.
#pragma once

#include <memory>
#include <string>

#include "connectors/file/paths.h"
#include "stage/probe.h"

namespace leat {

std::unique_ptr<PeerProbe> probe_files(std::vector<PathPattern> patterns, bool follow,
                                       const ProbeContext& context, Probed done);
std::unique_ptr<PeerProbe> probe_folder(std::string path, const ProbeContext& context, Probed done);

}  // namespace leat
