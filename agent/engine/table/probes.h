// What a database is asked before anything runs: whether a table is there and can be read, for
// `leat check --connect`; what the tasks of a job are, the tables that `tables` mean and the ranges
// of `split`, for `leat explain`.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <string>

#include "stage/probe.h"
#include "table/table_group.h"

namespace leat::table {

// A look, as before a pass; of a pattern, what it means.
std::unique_ptr<PeerProbe> probe(const Options& options, TableGroup::MakeDatabase make_database,
                                 const ProbeContext& context, Probed done);

// As the options have them: "a, orders_%, 4 at once"; "" for a source of one table.
std::string told_tasks(const Options& options);

// As the database has them now: a line for each. For what a run has that begins anew; one that goes
// on keeps the ranges that it had.
std::unique_ptr<PeerProbe> ask_tasks(const Options& options, TableGroup::MakeDatabase make_database,
                                     const ProbeContext& context, Probed done);

}  // namespace leat::table
