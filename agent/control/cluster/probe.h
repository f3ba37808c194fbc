// What the group's database says to `leat check --connect`: whether it is there, lets us in, and
// has the tables of the groups, or lets us make them. Nothing is changed.
//
// Thread and lifetime: stage/probe.h.
#pragma once

#include <memory>

#include "plan/pipeline_config.h"
#include "stage/probe.h"

namespace leat::cluster {

std::unique_ptr<PeerProbe> probe(Loop& loop, const ClusterConfig& config, Probed done);

}  // namespace leat::cluster
