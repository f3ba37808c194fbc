// `leat check --connect`: does the server let us in, is there the table with its columns, and may
// we write to it? What must be tried is tried in a transaction that is rolled back; nothing stays.
#pragma once

#include <memory>

#include "connectors/postgres/table_writer.h"
#include "protocols/postgres/connection_settings.h"
#include "stage/probe.h"

namespace leat::postgres {

// What the options of a sink amount to.
struct SinkPlan {
  ConnectionSettings connection;
  TableWriterConfig writer;
};

std::unique_ptr<PeerProbe> probe(Result<SinkPlan> plan, const ProbeContext& context, Probed done);

}  // namespace leat::postgres
