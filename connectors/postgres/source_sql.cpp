#include "connectors/postgres/source_sql.h"

#include <algorithm>

#include "protocols/postgres/wire.h"
#include "table/sql_text.h"
#include "table/table_list.h"

namespace leat::postgres {
namespace {

constexpr uint32_t kTimestampWithoutZone = 1114;  // catalog/pg_type.dat
constexpr uint32_t kTimestampWithZone = 1184;
// Whoever writes such a column may mean any zone of the world by it.
constexpr Milliseconds kZones{14 * 3'600'000};
// Beyond, the order of 32-bit numbers says nothing.
constexpr uint64_t kMostTransactions = uint64_t{1} << 31;
// Bytes of blocks: at 100 bytes a row, a sample of 160,000.
constexpr size_t kSampled = size_t{16} << 20;

std::vector<std::string> quoted(const std::vector<std::string>& names, const char* behind = "") {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(quoted_name(name) + behind);
  return out;
}

std::vector<std::string> literals(const table::Key& key) {
  std::vector<std::string> out;
  for (const std::string& value : key) out.push_back(quoted_text(value));
  return out;
}

std::string milliseconds(Milliseconds time) {
  return "interval '" + std::to_string(time.count()) + " milliseconds'";
}

}  // namespace

bool SourceSql::is_time(uint32_t type) {
  return type == kTimestampWithoutZone || type == kTimestampWithZone;
}

std::string SourceSql::from(const table::Key& behind) const {
  const table::Settings& table = config_.table;
  if (table.query.empty()) return config_.name.sql();
  const std::string filled = table::QueryText(table.query).filled([&](std::string_view parameter) {
    for (size_t i = 0; i < table.cursor.size() && i < behind.size(); ++i)
      if (parameter == "after_" + table.cursor[i]) return quoted_text(behind[i]);
    return std::string("NULL");
  });
  // A comment at its end must not hide what follows.
  return "(" + filled + "\n) AS leat_query";
}

std::string SourceSql::describe(const table::Key& behind) const {
  const std::vector<std::string>& columns = config_.table.columns;
  return "SELECT " + (columns.empty() ? "*" : table::joined(quoted(columns))) + " FROM " +
         from(behind) + " LIMIT 0";
}

std::string SourceSql::listed(const std::vector<std::string>& names) {
  std::string named;
  std::string patterns;
  for (size_t i = 0; i < names.size(); ++i) {
    const TableName name = TableName::parse(names[i]).value_or(TableName{"", names[i]});
    const bool pattern = table::is_pattern(names[i]);
    const auto text = [pattern](const std::string& part) {
      return quoted_text(pattern ? table::like_of(part) : part);
    };
    std::string& list = pattern ? patterns : named;
    list += (list.empty() ? "(" : ",(") + std::to_string(i) + "," + text(name.schema) + "," +
            text(name.name) + ")";
  }
  const auto found = [](const std::string& asked, const char* pattern, const std::string& where) {
    return "SELECT a.number, c.oid, n.nspname, c.relname, c.reltuples, a.schema = '' AS bare, " +
           std::string(pattern) + " AS pattern FROM (VALUES " + asked +
           ") a(number, schema, name) JOIN pg_catalog.pg_class c ON c.relname " + where +
           " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE CASE a.schema WHEN ''"
           " THEN pg_catalog.pg_table_is_visible(c.oid)";
  };
  std::string all;
  if (!named.empty())
    all = found(named, "false", "= a.name::name") +
          " ELSE n.nspname = a.schema END AND c.relkind IN ('r', 'p', 'f', 'v', 'm')";
  if (!patterns.empty())
    all += (all.empty() ? "" : " UNION ALL ") + found(patterns, "true", "LIKE a.name") +
           " AND n.nspname NOT IN ('pg_catalog', 'information_schema') ELSE n.nspname LIKE"
           " a.schema END AND c.relkind IN ('r', 'p', 'f')"
           " AND c.relname NOT IN ('leat_positions', 'leat_jobs', 'leat_cluster_members',"
           " 'leat_cluster_tasks', 'leat_cluster_positions')";
  return "WITH found AS (" + all +
         ") SELECT number, CASE WHEN bare THEN '' ELSE pg_catalog.quote_ident(nspname) || '.' END"
         " || pg_catalog.quote_ident(relname), oid, pattern AND EXISTS (SELECT FROM"
         " pg_catalog.pg_inherits i JOIN found parent ON parent.oid = i.inhparent"
         " WHERE i.inhrelid = found.oid), greatest(reltuples, 0)::bigint FROM found ORDER BY 1, 2";
}

std::string SourceSql::types(const std::vector<ReadColumn>& columns) {
  std::string oids;
  for (const ReadColumn& column : columns)
    oids += (oids.empty() ? "" : ",") + std::to_string(column.type);
  // Whether it is an array of JSON, or of a domain over it.
  return "SELECT oid, typtype, typcategory, coalesce((SELECT e.oid IN (114, 3802) OR e.typbasetype "
         "IN (114, 3802) FROM pg_catalog.pg_type e WHERE e.oid = t.typelem), false)"
         " FROM pg_catalog.pg_type t WHERE oid IN (" +
         oids + ")";
}

std::string SourceSql::columns_of(uint32_t oid, bool all) {
  const std::string table = std::to_string(oid);
  std::string children =
      "(SELECT count(*)::text FROM pg_catalog.pg_inherits WHERE inhparent = " + table + ")";
  if (!all) return children;
  return "(SELECT pg_catalog.md5(string_agg(concat_ws(':', attnum, attname, atttypid), ','"
         " ORDER BY attnum)) FROM pg_catalog.pg_attribute WHERE attrelid = " +
         table + " AND attnum > 0 AND NOT attisdropped) || " + children;
}

std::string SourceSql::snapshot(const std::string& columns) {
  return "SELECT " + columns +
         ", statement_timestamp(), s.low, s.high, ("
         "SELECT 'pid ' || a.pid || coalesce(' of ' || a.usename, '') || coalesce(' (' ||"
         " nullif(a.application_name, '') || ')', '') FROM pg_catalog.pg_stat_activity a"
         " WHERE a.backend_xid::text::bigint = s.low % 4294967296 LIMIT 1)"
         " FROM (SELECT pg_snapshot_xmin(n)::text::bigint AS low,"
         " pg_snapshot_xmax(n)::text::bigint AS high FROM pg_current_snapshot() n) s";
}

std::string SourceSql::delayed(const std::string& columns) const {
  return "SELECT " + columns + ", statement_timestamp() - " +
         milliseconds(config_.table.consistency_delay);
}

std::string SourceSql::last(const std::vector<std::string>& cursor,
                            const table::Key& behind) const {
  // With names of their own: ORDER BY would mean the text.
  std::string list;
  for (size_t i = 0; i < cursor.size(); ++i)
    list +=
        (i > 0 ? ", " : "") + quoted_name(cursor[i]) + "::text AS leat_key_" + std::to_string(i);
  std::string sql = "SELECT " + list + " FROM " + from(behind);
  if (!config_.table.where.empty()) sql += " WHERE (" + config_.table.where + "\n)";
  return sql + " ORDER BY " + table::joined(quoted(cursor, " DESC")) + " LIMIT 1";
}

// Rows at which one part of `parts` ends and the next begins, whatever the keys are.
std::string SourceSql::bounds(const std::vector<std::string>& cursor, size_t parts,
                              bool sampled) const {
  const std::vector<std::string> names = quoted(cursor);
  std::string sql = "SELECT * FROM (SELECT ";
  for (size_t i = 0; i < names.size(); ++i)
    sql += names[i] + "::text AS leat_key_" + std::to_string(i) + ", ";
  sql += "row_number() OVER (ORDER BY " + table::joined(names) +
         ") AS leat_row, count(*) OVER () AS leat_rows FROM " + config_.name.sql();
  if (sampled)
    sql += " TABLESAMPLE SYSTEM (least(100, 100.0 * " + std::to_string(kSampled) +
           " / greatest(pg_catalog.pg_relation_size(" + quoted_text(config_.name.sql()) +
           "::pg_catalog.regclass), 1)))";
  if (!config_.table.where.empty()) sql += " WHERE (" + config_.table.where + "\n)";
  const std::string times = " * " + std::to_string(parts) + " / leat_rows";
  return sql + ") AS leat_sample WHERE leat_row" + times + " > (leat_row - 1)" + times +
         " ORDER BY leat_row";
}

std::string SourceSql::null_in(const std::vector<std::string>& cursor,
                               const table::Key& behind) const {
  std::string sql = "SELECT 1 FROM " + from(behind) + " WHERE (";
  for (size_t i = 0; i < cursor.size(); ++i)
    sql += (i > 0 ? " OR " : "") + quoted_name(cursor[i]) + " IS NULL";
  sql += ")";
  if (!config_.table.where.empty()) sql += " AND (" + config_.table.where + "\n)";
  return sql + " LIMIT 1";
}

// What transactions from `low` on, `count` of them, have written. `since`: the times in the rows
// are not older, but for what lookBack says; an index on them then finds the rows.
std::string SourceSql::written_by(uint64_t low, const std::string& count, const std::string& since,
                                  const std::string& first, uint32_t first_type) const {
  constexpr uint64_t kEpoch = uint64_t{1} << 32;
  std::string sql = "(xmin::text::bigint - " + std::to_string(low % kEpoch) + " + " +
                    std::to_string(kEpoch) + ") % " + std::to_string(kEpoch) + " < " + count;
  if (since.empty() || !is_time(first_type)) return sql;
  const bool zone = first_type == kTimestampWithZone;
  return sql + " AND " + first + " >= " + quoted_text(since) +
         (zone ? "::timestamptz - " : "::timestamp - ") +
         milliseconds(config_.look_back + (zone ? Milliseconds{0} : kZones));
}

std::string SourceSql::page(const std::vector<ReadColumn>& columns,
                            const std::vector<std::string>& hidden, bool binary,
                            uint32_t first_type, const table::Page& page) const {
  const table::Settings& table = config_.table;
  const table::TablePosition& pass = page.pass;
  std::string list;
  if (binary) list = table::joined(quoted(hidden, "::text"));
  for (const ReadColumn& column : columns) {
    const std::string name = quoted_name(column.name);
    list += (list.empty() ? "" : ", ") +
            (column.kind == Kind::kArray ? "pg_catalog.to_json(" + name + ") AS " + name : name);
  }
  if (!binary)
    for (const std::string& name : quoted(hidden)) list += ", " + name;

  const std::vector<std::string> cursor = quoted(pass.cursor);
  std::vector<std::string> conditions;
  if (!table.where.empty()) conditions.push_back("(" + table.where + "\n)");
  if (!cursor.empty()) {
    const std::string& first = cursor.front();
    if (!pass.after.empty())
      conditions.push_back(table::compared(cursor, ">", literals(pass.after)));
    else if (!pass.floor.empty())
      conditions.push_back(first + " > " + quoted_text(pass.floor));
    if (table.query.empty() && !table.from.empty())
      conditions.push_back(first + " >= " + quoted_text(table.from[0]));
    if (!page.upper.empty()) conditions.push_back(first + " <= " + quoted_text(page.upper));
    if (!page.last.empty())
      conditions.push_back(table::compared(cursor, "<=", literals(page.last)));
    if (pass.high != 0 && pass.full)
      conditions.push_back("NOT (" +
                           written_by(pass.high,
                                      "pg_snapshot_xmax(pg_current_snapshot())::text::bigint - " +
                                          std::to_string(pass.high),
                                      pass.next_since, first, first_type) +
                           ")");
    else if (pass.high != 0 && pass.high - pass.low < kMostTransactions)
      conditions.push_back(written_by(pass.low, std::to_string(pass.high - pass.low), pass.since,
                                      first, first_type));
  }
  const std::string of = (table.query.empty() ? config_.name.sql() : "leat_query") + ".";
  std::vector<std::string> qualified;
  for (const std::string& name : cursor) qualified.push_back(of + name);
  std::string sql = "SELECT " + list + " FROM " + from(pass.after);
  for (size_t i = 0; i < conditions.size(); ++i)
    sql += (i == 0 ? " WHERE " : " AND ") + conditions[i];
  if (!cursor.empty())
    // Of the table: alone, the name of an array would be that of its JSON.
    sql += " ORDER BY " + table::joined(qualified) + " LIMIT " + std::to_string(table.page_size);
  return sql;
}

}  // namespace leat::postgres
