// What the tasks of a job are before anything runs: the tables that `tables` mean, the ranges of
// `split`. For `leat explain`.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <string>

#include "stage/probe.h"
#include "table/table_group.h"

namespace leat::table {

// As the options have them: "a, orders_%, 4 at once"; "" for a source of one table.
std::string told_tasks(const Options& options);

// As the database has them now: a line for each. For what a run has that begins anew; one that goes
// on keeps the ranges that it had.
std::unique_ptr<PeerProbe> ask_tasks(const Options& options, TableGroup::MakeDatabase make_database,
                                     const ProbeContext& context, Probed done);

}  // namespace leat::table
