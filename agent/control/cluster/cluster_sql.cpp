#include "control/cluster/cluster_sql.h"

#include <initializer_list>

#include "journal/orders.h"
#include "plan/shared_job.h"
#include "protocols/postgres/wire.h"

namespace leat::cluster {
namespace {

using postgres::quoted_text;

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (std::string_view part : parts) out += part;
  return out;
}

std::string bytes_literal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "'\\x";
  for (const char byte : bytes) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out + "'::bytea";
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quoted_text(name);
  return out;
}

std::string until(const Me& me) {
  return "now() + interval '" + std::to_string(me.lease.count()) + " milliseconds'";
}

std::string where_group(const Me& me) {
  return " WHERE grp = " + quoted_text(me.group);
}

// Of a row of members or tasks.
std::string and_mine(const Me& me) {
  return joined(
      {" AND agent = ", quoted_text(me.agent), " AND session = ", std::to_string(me.session)});
}

// With the database's clock: now() is when the exchange began, so what is renewed lasts no longer
// than whoever renews it thinks.
std::string bury_sql(const Me& me) {
  return joined({"DELETE FROM leat_cluster_members", where_group(me),
                 " AND until <= now() AND agent IN (SELECT agent FROM leat_cluster_members",
                 where_group(me), " AND until <= now() FOR UPDATE SKIP LOCKED);"});
}

// An agent that was killed, and begins again with the same data folder, need not wait for itself.
std::string join_sql(const Me& me) {
  constexpr std::string_view kInsert =
      "INSERT INTO leat_cluster_members AS m (grp, agent, instance, session, until) VALUES (";
  constexpr std::string_view kOrReplace =
      ") ON CONFLICT (grp, agent) DO UPDATE SET instance = excluded.instance, session = "
      "excluded.session, until = excluded.until WHERE m.instance = excluded.instance OR m.until <= "
      "now() RETURNING '";
  return joined({kInsert, quoted_text(me.group), ", ", quoted_text(me.agent), ", ",
                 quoted_text(me.instance), ", ", std::to_string(me.session), ", ", until(me),
                 kOrReplace, kAlive, "';"});
}

std::string renew_sql(const Me& me) {
  return joined({"UPDATE leat_cluster_members SET until = ", until(me), where_group(me),
                 and_mine(me), " RETURNING '", kAlive, "';"});
}

// Of a row `t` of the tasks: its session is there.
constexpr std::string_view kHasSomebody =
    "EXISTS (SELECT 1 FROM leat_cluster_members m WHERE m.grp = t.grp AND m.agent = t.agent AND "
    "m.session = t.session)";

// Two steps: a row that somebody has taken between the look at it and its lock has another fence
// then, and is left alone.
std::string take_sql(const Me& me, const Wanted& wanted) {
  constexpr std::string_view kSeen =
      " ON CONFLICT DO NOTHING; WITH seen AS MATERIALIZED (SELECT pipeline, fence FROM "
      "leat_cluster_tasks t";
  constexpr std::string_view kFree =
      ")), free AS MATERIALIZED (SELECT t.pipeline FROM leat_cluster_tasks t JOIN seen s ON "
      "s.pipeline = t.pipeline AND s.fence = t.fence WHERE t.grp = ";
  std::string rows;
  for (const std::string& one : wanted.names)
    rows += joined({rows.empty() ? "(" : ", (", quoted_text(me.group), ", ", quoted_text(one), ", ",
                    quoted_text(wanted.job), ")"});
  std::string sql =
      joined({"INSERT INTO leat_cluster_tasks (grp, pipeline, job) VALUES ", rows, kSeen,
              where_group(me), " AND state = '' AND pipeline IN (", list_of(wanted.names),
              ") AND NOT ", kHasSomebody, " AND EXISTS (SELECT 1 FROM leat_cluster_members",
              where_group(me), and_mine(me), kFree, quoted_text(me.group)});
  sql += joined({" ORDER BY t.pipeline LIMIT ", std::to_string(wanted.most),
                 " FOR UPDATE OF t SKIP LOCKED) UPDATE leat_cluster_tasks t SET agent = ",
                 quoted_text(me.agent), ", session = ", std::to_string(me.session),
                 ", fence = t.fence + 1, since = now() FROM free f WHERE t.grp = ",
                 quoted_text(me.group), " AND t.pipeline = f.pipeline;"});
  return sql;
}

std::string retry_sql(const Me& me, const std::string& job) {
  return joined({"UPDATE leat_cluster_tasks SET state = '', reason = ''", where_group(me),
                 " AND job = ", quoted_text(job), " AND state = '", kFailed,
                 "' AND EXISTS (SELECT ", "1 FROM leat_cluster_members", where_group(me),
                 and_mine(me), ");"});
}

std::string tell_sql(const Me& me, const Wanted& wanted) {
  if (wanted.tell)
    return joined({"SELECT '", kTask, "', pipeline, agent, state, ", kHasSomebody,
                   ", records, reason FROM leat_cluster_tasks t", where_group(me),
                   " AND job = ", quoted_text(wanted.job), " ORDER BY pipeline;"});
  return joined({"SELECT '", kOf, "', pipeline, agent FROM leat_cluster_tasks t", where_group(me),
                 " AND pipeline IN (", list_of(wanted.names), ") AND ", kHasSomebody, ";"});
}

std::string where_task(const Me& me, const Lease& lease) {
  return joined({where_group(me), " AND pipeline = ", quoted_text(lease.pipeline), and_mine(me),
                 " AND fence = ", std::to_string(lease.fence)});
}

}  // namespace

std::string tables_exist_sql() {
  return "SELECT to_regclass('leat_cluster_members') IS NOT NULL AND "
         "to_regclass('leat_cluster_tasks') IS NOT NULL AND "
         "to_regclass('leat_cluster_positions') IS NOT NULL";
}

// IF NOT EXISTS alone does not keep two from making one at the same time.
std::string create_tables_sql() {
  return "SELECT pg_advisory_xact_lock(hashtext('leat_cluster_members'));"
         "CREATE TABLE IF NOT EXISTS leat_cluster_members (grp text NOT NULL, agent text NOT NULL,"
         " instance text NOT NULL, session bigint NOT NULL, until timestamptz NOT NULL,"
         " PRIMARY KEY (grp, agent));"
         "CREATE TABLE IF NOT EXISTS leat_cluster_tasks (grp text NOT NULL, pipeline text NOT NULL,"
         " agent text NOT NULL DEFAULT '', session bigint NOT NULL DEFAULT 0,"
         " fence bigint NOT NULL DEFAULT 0, since timestamptz NOT NULL DEFAULT now(),"
         " job text NOT NULL DEFAULT '', state text NOT NULL DEFAULT '',"
         " records bigint NOT NULL DEFAULT 0, reason text NOT NULL DEFAULT '',"
         " PRIMARY KEY (grp, pipeline));"
         "CREATE TABLE IF NOT EXISTS leat_cluster_positions (grp text NOT NULL,"
         " pipeline text NOT NULL, partition text NOT NULL, value bytea NOT NULL,"
         " fence bigint NOT NULL, PRIMARY KEY (grp, pipeline, partition))";
}

std::string rights_sql() {
  return "SELECT current_setting('transaction_read_only') = 'on', " + tables_exist_sql().substr(7) +
         ", (SELECT bool_and(has_table_privilege(c.oid, p)) FROM pg_class c, "
         "unnest(ARRAY['SELECT', "
         "'INSERT', 'UPDATE', 'DELETE']) p WHERE c.oid IN (to_regclass('leat_cluster_members'), "
         "to_regclass('leat_cluster_tasks'), to_regclass('leat_cluster_positions'))), "
         "COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)";
}

std::string members_sql(const std::string& group) {
  return "SELECT count(*) FROM leat_cluster_members WHERE grp = " + quoted_text(group) +
         " AND until > now()";
}

std::string set_up_sql(Milliseconds at_most) {
  const std::string ms = std::to_string(at_most.count());
  return "SET statement_timeout = " + ms + "; SET lock_timeout = " + ms +
         "; SET client_min_messages = warning; SET default_transaction_isolation = "
         "'read committed'";
}

std::string tick_sql(const Me& me, bool join, const std::vector<Wanted>& wanted) {
  std::string sql = bury_sql(me) + (join ? join_sql(me) : renew_sql(me));
  for (const Wanted& one : wanted) {
    if (one.retry) sql += retry_sql(me, one.job);
    if (one.most > 0 && !one.names.empty()) sql += take_sql(me, one);
    if (one.tell || !one.names.empty()) sql += tell_sql(me, one);
  }
  return sql +
         joined({"SELECT '", kHolds, "', pipeline, fence FROM leat_cluster_tasks", where_group(me),
                 and_mine(me), "; SELECT '", kMember, "', agent FROM leat_cluster_members",
                 where_group(me), " ORDER BY agent; SELECT '", kClock,
                 "', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"});
}

std::string load_sql(const Me& me, const std::string& pipeline) {
  return joined({"SELECT '", kAt, "', partition, encode(value, 'hex') FROM leat_cluster_positions",
                 where_group(me), " AND pipeline = ", quoted_text(pipeline)});
}

// FOR SHARE: whoever takes it is to wait until this is through, and then finds what it saved; or
// has taken it, and then this finds nothing.
std::string save_sql(const Me& me, const Lease& lease,
                     const std::vector<SavedPosition>& positions) {
  std::string values;
  std::vector<std::string> gone;
  for (const SavedPosition& one : positions) {
    if (one.value.empty()) {
      gone.push_back(one.partition);
      continue;
    }
    values += joined({values.empty() ? "(" : ", (", quoted_text(one.partition), ", ",
                      bytes_literal(one.value), ")"});
  }
  std::string sql = joined({"WITH mine AS MATERIALIZED (SELECT 1 FROM leat_cluster_tasks",
                            where_task(me, lease), " FOR SHARE)"});
  constexpr std::string_view kPut =
      ", put AS (INSERT INTO leat_cluster_positions (grp, pipeline, partition, value, fence) "
      "SELECT ";
  constexpr std::string_view kOrUpdate =
      ") v(partition, value) ON CONFLICT (grp, pipeline, partition) DO UPDATE SET value = "
      "excluded.value, fence = excluded.fence)";
  if (!values.empty())
    sql += joined({kPut, quoted_text(me.group), ", ", quoted_text(lease.pipeline),
                   ", v.partition, v.value, ", std::to_string(lease.fence), " FROM mine, (VALUES ",
                   values, kOrUpdate});
  if (!gone.empty())
    sql += joined({", del AS (DELETE FROM leat_cluster_positions p USING mine WHERE p.grp = ",
                   quoted_text(me.group), " AND p.pipeline = ", quoted_text(lease.pipeline),
                   " AND p.partition IN (", list_of(gone), "))"});
  return sql + joined({" SELECT '", kMine, "', count(*) FROM mine"});
}

// Who has ended it stays there to be seen.
std::string release_sql(const Me& me, const Lease& lease, const Outcome& outcome) {
  const std::string ended =
      outcome.state.empty() ? ""
                            : joined({", state = ", quoted_text(outcome.state),
                                      ", reason = ", quoted_text(outcome.reason),
                                      ", records = records + ", std::to_string(outcome.records)});
  return joined({"UPDATE leat_cluster_tasks SET session = 0", ended, where_task(me, lease)});
}

std::string open_run_sql(const Me& me, const Lease& job, bool anew) {
  const std::string group = quoted_text(me.group);
  const std::string run = quoted_text(run_of(job.pipeline));
  const std::string of_job =
      joined({"grp = ", group, " AND job = ", quoted_text(job.pipeline), " AND pipeline <> ", run});
  const std::string order = quoted_text(kResetOrder);
  constexpr std::string_view kAgain =
      " AND r.state = '') FOR SHARE), again AS (UPDATE leat_cluster_tasks SET agent = '', session "
      "= 0, state = '', reason = '', records = 0 FROM mine WHERE ";
  constexpr std::string_view kBeginAnew =
      ")), anew AS (INSERT INTO leat_cluster_positions (grp, pipeline, partition, value, fence) "
      "SELECT t.grp, t.pipeline, ";
  constexpr std::string_view kRun =
      ", run AS (INSERT INTO leat_cluster_tasks AS t (grp, pipeline, job, records) SELECT ";
  constexpr std::string_view kOpen =
      ", 1 FROM mine ON CONFLICT (grp, pipeline) DO UPDATE SET state = '', since = now(), records "
      "= t.records + 1) SELECT '";
  std::string sql =
      joined({"WITH mine AS MATERIALIZED (SELECT 1 FROM leat_cluster_tasks", where_task(me, job),
              " AND NOT EXISTS (SELECT 1 FROM leat_cluster_tasks r WHERE r.grp = ", group,
              " AND r.pipeline = ", run, kAgain, of_job, ")"});
  if (anew)
    sql += joined(
        {", gone AS (DELETE FROM leat_cluster_positions p USING mine WHERE p.grp = ", group,
         " AND p.partition <> ", order,
         " AND p.pipeline IN (SELECT pipeline FROM leat_cluster_tasks WHERE ", of_job, kBeginAnew,
         order, ", ", bytes_literal(kAnew), ", t.fence FROM mine, leat_cluster_tasks t WHERE t.",
         of_job, " ON CONFLICT (grp, pipeline, partition) DO UPDATE SET value = excluded.value)"});
  return sql + joined({kRun, group, ", ", run, ", ", quoted_text(job.pipeline), kOpen, kMine,
                       "', count(*) FROM mine"});
}

std::string close_run_sql(const Me& me, const Lease& job) {
  return joined({"WITH mine AS MATERIALIZED (SELECT 1 FROM leat_cluster_tasks", where_task(me, job),
                 " FOR SHARE) UPDATE leat_cluster_tasks t SET state = '", kDone,
                 "' FROM mine WHERE t.grp = ", quoted_text(me.group),
                 " AND t.pipeline = ", quoted_text(run_of(job.pipeline))});
}

std::string leave_sql(const Me& me) {
  return "DELETE FROM leat_cluster_members" + where_group(me) + and_mine(me);
}

}  // namespace leat::cluster
