// The options of the postgres connector.
#pragma once

#include <string_view>

#include "options/options.h"
#include "protocols/postgres/connection_options.h"
#include "table/job_statements.h"

namespace leat::postgres {

inline constexpr std::string_view kWriteModes[] = {"copy", "insert", "upsert", "merge"};
inline constexpr std::string_view kMatches[] = {"name", "position"};
inline constexpr std::string_view kUnknownFields[] = {"ignore", "reject"};

inline constexpr Option kSinkOptions[] = {
    kUrlOption,
    {.name = "table",
     .required = true,
     .help = "The table that records go to: \"table\" or \"schema.table\". With writeMode merge it "
             "gives the staging table its columns, and may be a view or a composite type.",
     .example = "\"telemetry\""},
    {.name = "writeMode",
     .fallback = "copy",
     .help = "copy: COPY, the fastest; insert: INSERT statements, for tables with rules; upsert: a "
             "record whose key is there already updates that row; merge: mergeSql.",
     .choices = kWriteModes},
    {.name = "columns",
     .type = OptionType::kMap,
     .help =
         "Fields and the columns they go to; other fields are left out. Without it, every field "
         "goes into the column of its name."},
    {.name = "match",
     .fallback = "name",
     .help = "Without `columns`. position: the first field goes into the first column and so on, "
             "whatever they are called; a record with more or fewer fields than the table has "
             "columns is a dead letter.",
     .choices = kMatches},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "For upsert: the columns that identify a row. They need a unique index."},
    {.name = "mergeSql",
     .help =
         "For merge: statements that bring the rows of the temporary table leat_staging to where "
         "they belong. They run in the transaction of the delivery."},
    {.name = "createTable",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Create the table from the first records, columns for fields that appear later, and "
             "wider types for numbers that need them."},
    {.name = "unknownFields",
     .fallback = "ignore",
     .help =
         "What becomes of fields that have no column: ignore: they are left out, and the log says "
         "so once; reject: the record becomes a dead letter.",
     .choices = kUnknownFields},
    table::kPreSqlOption,
    table::kPostSqlOption,
    kConnectTimeoutOption,
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "60s",
     .help =
         "How long the server may take for a statement, or wait for a lock, before the delivery "
         "is put off.",
     .min = 1,
     .max = 86'400'000},
    kTlsOption,
};

}  // namespace leat::postgres
