#include "control/cluster/probe.h"

#include <utility>

#include "control/cluster/cluster_sql.h"
#include "protocols/postgres/connection.h"
#include "protocols/postgres/connection_settings.h"

namespace leat::cluster {
namespace {

class Probe final : public PeerProbe {
 public:
  Probe(Loop& loop, postgres::ConnectionSettings settings, std::unique_ptr<TlsContext> tls,
        std::string group, Probed done)
      : settings_(std::move(settings)),
        tls_(std::move(tls)),
        group_(std::move(group)),
        done_(std::move(done)),
        connection_({.loop = loop,
                     .url = &settings_.url,
                     .sslmode = settings_.sslmode,
                     .tls = tls_.get(),
                     .connect_timeout = settings_.connect_timeout,
                     .timeout = settings_.connect_timeout},
                    password_) {
    connection_.open([this](const Status& opened) {
      if (!opened) return failed(opened.error().message());
      ask(rights_sql(), [this](const postgres::Reply& reply) { looked(reply.rows); });
    });
  }

 private:
  void failed(const std::string& why) {
    done_(fail(ErrorKind::kUnavailable, settings_.url.shown() + ": " + why));
  }

  void ask(const std::string& sql, std::function<void(const postgres::Reply&)> then) {
    connection_.query(sql, [this, then = std::move(then)](Result<postgres::Reply> reply) {
      if (!reply) return failed(reply.error().message());
      if (reply->error) return failed(reply->error->message());
      auto call = then;  // the function may be destroyed by what it does
      call(*reply);
    });
  }

  // Columns as rights_sql() has them.
  void looked(const std::vector<postgres::Row>& rows) {
    if (rows.empty() || rows[0].size() < 4) return failed("the server gives a strange answer");
    const postgres::Row& row = rows[0];
    if (row[0] == "t") return failed("the server takes nothing but reads now");
    if (row[1] == "f") {
      if (row[3] == "t") return done_("the tables of the groups are made by the first agent");
      return failed(
          "there are no tables of groups, and this user may not make them: GRANT CREATE, "
          "USAGE ON SCHEMA, or let another user make them");
    }
    if (row[2] != "t")
      return failed(
          "this user may not SELECT, INSERT, UPDATE and DELETE in all of the tables "
          "leat_cluster_…: GRANT it");
    ask(members_sql(group_), [this](const postgres::Reply& reply) {
      const std::string count = reply.rows.empty() ? "0" : reply.rows[0][0].value_or("0");
      done_("agents of the group that are there now: " + count);
    });
  }

  const postgres::ConnectionSettings settings_;
  const std::unique_ptr<TlsContext> tls_;
  const std::string group_;
  const Probed done_;
  postgres::SaltedPassword password_;
  postgres::Connection connection_;
};

}  // namespace

std::unique_ptr<PeerProbe> probe(Loop& loop, const ClusterConfig& config, Probed done) {
  auto settings = postgres::ConnectionSettings::from(config.options);
  if (!settings) return probe_that_failed(loop, settings.error(), std::move(done));
  std::unique_ptr<TlsContext> tls;
  if (Status opened = open_tls(tls, settings->uses_tls, settings->tls, "cluster", settings->verify);
      !opened)
    return probe_that_failed(loop, opened.error(), std::move(done));
  return std::make_unique<Probe>(loop, std::move(*settings), std::move(tls), config.group,
                                 std::move(done));
}

}  // namespace leat::cluster
