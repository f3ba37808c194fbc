#include "control/cluster/link.h"

#include <algorithm>
#include <utility>

#include "control/cluster/cluster_sql.h"

namespace leat::cluster {

Result<std::unique_ptr<Link>> Link::make(Loop& loop, const Options& options, Milliseconds at_most) {
  auto settings = postgres::ConnectionSettings::from(options);
  if (!settings) return fail(settings.error());
  std::unique_ptr<Link> link(new Link(loop, std::move(*settings), at_most));
  const postgres::ConnectionSettings& set = link->settings_;
  if (Status tls = open_tls(link->tls_, set.uses_tls, set.tls, "cluster", set.verify); !tls)
    return fail(tls.error());
  return link;
}

Link::Link(Loop& loop, postgres::ConnectionSettings settings, Milliseconds at_most)
    : loop_(loop), settings_(std::move(settings)), at_most_(at_most) {}

void Link::ask(const std::string& sql, std::function<void(Result<Rows>)> done) {
  busy_ = true;
  sql_ = sql;
  done_ = std::move(done);
  if (!connected()) return connect();
  run(sql_, [this](Rows rows) { end(std::move(rows)); });
}

void Link::connect() {
  connection_ = std::make_unique<postgres::Connection>(
      postgres::ConnectionConfig{.loop = loop_,
                                 .url = &settings_.url,
                                 .sslmode = settings_.sslmode,
                                 .tls = tls_.get(),
                                 .connect_timeout = std::min(settings_.connect_timeout, at_most_),
                                 .timeout = at_most_},
      password_);
  connection_->open([this](const Status& opened) {
    if (!opened) return end(fail(opened.error()));
    set_up();
  });
}

void Link::set_up() {
  run(set_up_sql(at_most_) + "; " + tables_exist_sql(), [this](const Rows& rows) {
    const bool there = !rows.empty() && !rows[0].empty() && rows[0][0] == "t";
    const auto begin = [this] { run(sql_, [this](Rows got) { end(std::move(got)); }); };
    if (there) return begin();
    run(create_tables_sql(), [begin](const Rows&) { begin(); });
  });
}

// What the server refuses ends the exchange, too: whoever asks does so again.
void Link::run(const std::string& sql, std::function<void(Rows)> then) {
  connection_->query(sql, [this, then = std::move(then)](Result<postgres::Reply> reply) {
    if (!reply) return end(fail(reply.error()));
    if (reply->error)
      return end(
          fail(ErrorKind::kUnavailable, settings_.url.shown() + ": " + reply->error->message()));
    auto call = then;
    call(std::move(reply->rows));
  });
}

void Link::end(Result<Rows> result) {
  busy_ = false;
  if (!result) connection_.reset();
  std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace leat::cluster
