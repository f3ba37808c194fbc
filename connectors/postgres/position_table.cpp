#include "connectors/postgres/position_table.h"

#include <utility>

#include "base/text.h"

namespace leat::postgres {
namespace {

// A transaction holds the positions from its start. When we are gone without a goodbye (a power
// cut), the server is to notice it in half a minute instead of two hours.
constexpr std::string_view kNoticeOurEnd =
    "SELECT pg_catalog.set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN '15' "
    "WHEN 'tcp_keepalives_interval' THEN '5' ELSE '3' END, false) FROM pg_catalog.pg_settings "
    "WHERE name IN ('tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count')";

}  // namespace

PositionTable::PositionTable(std::string agent, std::string pipeline, SinkLane lane, uint64_t fence,
                             Session& session)
    : agent_(std::move(agent)),
      pipeline_(std::move(pipeline)),
      session_(session),
      positions_(agent_, pipeline_, lane, fence) {}

// A transaction of an earlier session may have been carried out without our hearing of it.
bool PositionTable::ready() const {
  return found_ && positions_.known() && taken_in_ == session_.number();
}

void PositionTable::make_ready(StepEnd end) {
  std::string sql = Positions::exists_sql() + "; " + std::string(kNoticeOurEnd);
  session_.ask("leat_positions", sql, [this, end](const Reply& reply) {
    found_ = reply.says_true();
    if (found_) return take(end);
    session_.create("creating the table leat_positions", Positions::create_sql(), [this, end] {
      found_ = true;
      take(end);
    });
  });
}

void PositionTable::take(StepEnd end) {
  session_.ask("leat_positions", positions_.owner_sql(), [this, end](const Reply& owner) {
    if (!positions_.found(owner.rows)) return end(moved_by_somebody());
    session_.ask("leat_positions", positions_.take_sql(), [this, end](const Reply& reply) {
      if (Status status = positions_.taken(reply.rows); !status)
        return end(Answer::retry(status.error().message()));
      taken_in_ = session_.number();
      end({});
    });
  });
}

Answer PositionTable::moved_by_somebody() const {
  // Its lease is over, and whoever gave it is about to say so.
  if (positions_.fenced())
    return Answer::retry("another agent of the group has the pipeline \"" + excerpt(pipeline_) +
                         "\" by now");
  return Answer::failed(
      "the positions in leat_positions were changed by somebody else: does another agent run with "
      "the id \"" +
      excerpt(agent_) + "\" and the pipeline \"" + excerpt(pipeline_) + "\"?");
}

}  // namespace leat::postgres
