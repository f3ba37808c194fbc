// What the tools of operators ask of the journal (engine/tools), for Rows. What a pipeline needs of
// it is in database.cpp and spool_table.cpp; the tables are in schema.cpp, and in FORMAT.md.
//
// ?1 is the name of a pipeline; "" is all of them where a query says so.
#pragma once

namespace leat::query {

// --- of the file --------------------------------------------------------------------------------

inline constexpr const char* kIntegrity = "PRAGMA integrity_check(20)";
inline constexpr const char* kPageSize = "PRAGMA page_size";
inline constexpr const char* kPageCount = "PRAGMA page_count";
inline constexpr const char* kFreePages = "PRAGMA freelist_count";

// 1, when it has anything of the pipeline.
inline constexpr const char* kKnowsPipeline =
    "SELECT 1 FROM positions WHERE pipeline = ?1 UNION ALL"
    " SELECT 1 FROM spools WHERE pipeline = ?1 LIMIT 1";

// --- spools -------------------------------------------------------------------------------------

inline constexpr const char* kSpools = "SELECT number, pipeline FROM spools";
inline constexpr const char* kRows = "SELECT id, records, batch FROM spool";
// Those with something in them: pipeline, batches, bytes, records, the first batch and its id. What
// is delivered of the first batch does not count. "": all.
inline constexpr const char* kSpoolsInUse =
    "SELECT pipeline, count(id), sum(length(batch)),"
    "  sum(max(0, min(records, id + records - (number << 44) - done))),"
    "  batch, min(id)"  // of that row (https://sqlite.org/lang_select.html#bareagg)
    " FROM (SELECT number, pipeline, coalesce((SELECT CAST(value AS INTEGER) FROM positions"
    "         WHERE positions.pipeline = spools.pipeline AND partition = 'spool:' || epoch), 0)"
    "         AS done FROM spools WHERE ?1 = '' OR pipeline = ?1)"
    " JOIN spool ON id >= number << 44 AND id < (number + 1) << 44"
    " GROUP BY number ORDER BY pipeline";
// Id, records, bytes, batch.
inline constexpr const char* kRowsOfSpool =
    "SELECT id, records, length(batch), batch FROM spools JOIN spool"
    " ON id >= number << 44 AND id < (number + 1) << 44 WHERE pipeline = ?1 ORDER BY id";
inline constexpr const char* kHasSpool = "SELECT 1 FROM spools WHERE pipeline = ?1";
// The record up to which it is delivered.
inline constexpr const char* kSpoolDone =
    "SELECT CAST(value AS INTEGER) FROM positions JOIN spools USING(pipeline)"
    " WHERE pipeline = ?1 AND partition = 'spool:' || epoch";

// --- positions ----------------------------------------------------------------------------------

inline constexpr const char* kPositionCount =
    "SELECT count(*) FROM positions WHERE partition NOT LIKE 'spool:%'"
    " AND partition NOT LIKE 'state:%'";
inline constexpr const char* kHasPositions = "SELECT 1 FROM positions WHERE pipeline = ?1";
// Of sources, with the orders that wait among them (orders.h): pipeline, partition, value, seconds
// of Unix time. "": all.
inline constexpr const char* kPositions =
    "SELECT pipeline, partition, value, saved_at FROM positions"
    " WHERE (?1 = '' OR pipeline = ?1) AND partition NOT LIKE 'spool:%'"
    " AND partition NOT LIKE 'state:%' AND pipeline NOT IN ('', ':runs', ':tasks') ORDER BY "
    "pipeline, "
    "partition";

// --- runs (tools/run_rows.h) --------------------------------------------------------------------

// Partition, value. "": of all.
inline constexpr const char* kRuns =
    "SELECT partition, value FROM positions WHERE pipeline = ':runs'"
    " AND (?1 = '' OR (partition >= ?1 || ':' AND partition < ?1 || ';'))";
// Pipeline, first number, last number; of numbers with leading zeros, so that min() and max() are.
inline constexpr const char* kRunNumbers =
    "SELECT substr(partition, 1, length(partition) - 11), substr(min(partition), -10),"
    " substr(max(partition), -10) FROM positions WHERE pipeline = ':runs' GROUP BY 1";
// Partition, value. "": of all.
inline constexpr const char* kTasks =
    "SELECT partition, value FROM positions WHERE pipeline = ':tasks'"
    " AND (?1 = '' OR partition = ?1) ORDER BY partition";
inline constexpr const char* kPositionsOfRuns =
    "SELECT pipeline, partition FROM positions WHERE pipeline LIKE '%~%'";

}  // namespace leat::query
