// The one connection to the group's database: made when there is something to ask, and again after
// it was lost. One exchange at a time; what is asked in it is one transaction.
//
// Thread: the main loop's. Callbacks come from the loop, never from inside a call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/handles.h"
#include "protocols/postgres/connection.h"
#include "protocols/postgres/connection_settings.h"

namespace leat::cluster {

using Rows = std::vector<postgres::Row>;

class Link {
 public:
  // Errors are kUsage.
  static Result<std::unique_ptr<Link>> make(Loop& loop, const Options& options,
                                            Milliseconds at_most);

  // When no exchange is under way. An error is of the database, or of the way to it: nothing was
  // done then, or nobody knows; the next exchange begins with a connection of its own.
  void ask(const std::string& sql, std::function<void(Result<Rows>)> done);
  bool busy() const { return busy_; }
  bool connected() const { return connection_ != nullptr && !connection_->lost(); }
  std::string shown() const { return settings_.url.shown(); }

 private:
  Link(Loop& loop, postgres::ConnectionSettings settings, Milliseconds at_most);
  void connect();
  void set_up();
  void run(const std::string& sql, std::function<void(Rows)> then);
  void end(Result<Rows> result);

  Loop& loop_;
  const postgres::ConnectionSettings settings_;
  const Milliseconds at_most_;
  std::unique_ptr<TlsContext> tls_;
  postgres::SaltedPassword password_;
  std::unique_ptr<postgres::Connection> connection_;
  bool busy_ = false;
  std::string sql_;
  std::function<void(Result<Rows>)> done_;
};

}  // namespace leat::cluster
