#include "connectors/postgres/session.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

// Routers forget connections without telling anybody; one that was idle for so long is asked first
// whether it is still there.
constexpr Milliseconds kLongestIdle{30'000};
// The server gives up first, by statement_timeout and lock_timeout, and says so.
constexpr Milliseconds kGrace{5000};

}  // namespace

std::string Refusal::told() const {
  std::string out = (doing.empty() ? "" : doing + ": ") + error.message();
  std::string_view advice = advice_on(error.sqlstate);
  if (!advice.empty()) out += ": " + std::string(advice);
  return out;
}

Session::Session(const SessionConfig& config, Listener& listener)
    : config_(config), listener_(listener), give_up_(*config.loop) {}

bool Session::stale() const {
  return config_.loop->now() - connection_->idle_since() > kLongestIdle;
}

bool Session::ready() const {
  return connected() && set_up_ && !stale();
}

void Session::make_ready(std::function<void()> then) {
  if (!connected()) return connect(std::move(then));
  if (!set_up_) return set_up(std::move(then));
  ping(std::move(then));
}

void Session::connect(std::function<void()> then) {
  ++number_;
  set_up_ = used_ = false;
  connection_.emplace(ConnectionConfig{.loop = *config_.loop,
                                       .url = &config_.url,
                                       .sslmode = config_.sslmode,
                                       .tls = config_.tls,
                                       .connect_timeout = config_.connect_timeout,
                                       .timeout = config_.timeout + kGrace},
                      password_);
  connection_->open([this, then = std::move(then)](Status status) {
    if (!status) return lost(status.error());
    auto call = then;  // the function may be destroyed by what it does
    call();
  });
}

// Without the timeouts, each attempt that we give up would leave a session behind that still waits
// for the same lock. Notices nobody reads.
void Session::set_up(std::function<void()> then) {
  std::string ms = std::to_string(config_.timeout.count());
  ask("",
      "SET statement_timeout = " + ms + "; SET lock_timeout = " + ms +
          "; SET client_min_messages = warning" + std::string(config_.set_up),
      [this, then = std::move(then)](const Reply&) {
        set_up_ = true;
        then();
      });
}

void Session::ping(std::function<void()> then) {
  auto shared = std::make_shared<std::function<void()>>(std::move(then));
  give_up_.start(config_.connect_timeout, [this, shared] {
    connection_.reset();
    (*shared)();
  });
  ask("", "", [this, shared](const Reply&) {
    give_up_.stop();
    (*shared)();
  });
}

void Session::ask(std::string doing, std::string_view sql, Then then, OnError on_error) {
  doing_ = std::move(doing);
  connection_->query(
      sql, [this, then = std::move(then), on_error = std::move(on_error)](Result<Reply> reply) {
        auto take = on_error;
        if (take && reply && reply->error && !reply->error->fatal && !reply->in_transaction &&
            take(*reply->error))
          return;
        replied(std::move(reply), then);
      });
}

void Session::copy(std::string_view sql, CopySource& source, Then then) {
  doing_.clear();
  connection_->run(
      sql, [this, then = std::move(then)](Result<Reply> reply) { replied(std::move(reply), then); },
      &source);
}

void Session::read(std::string_view sql, RowSink& rows, Then then) {
  doing_.clear();
  connection_->read(sql, rows, [this, then = std::move(then)](Result<Reply> reply) {
    replied(std::move(reply), then);
  });
}

void Session::create(std::string doing, std::string_view sql, std::function<void()> then,
                     OnError on_error) {
  doing_ = std::move(doing);
  connection_->query(
      sql, [this, then = std::move(then), on_error = std::move(on_error)](Result<Reply> reply) {
        if (!reply) return lost(reply.error());
        static constexpr std::string_view kThere[] = {"23505", "42P07", "42710"};
        bool there = reply->error && std::find(std::begin(kThere), std::end(kThere),
                                               reply->error->sqlstate) != std::end(kThere);
        if (!reply->error || there) {
          auto call = then;
          return call();
        }
        auto take = on_error;
        if (take && !reply->error->fatal && take(*reply->error)) return;
        refuse(*reply);
      });
}

void Session::try_out(std::string_view sql, Then then) {
  doing_.clear();
  connection_->query(sql, [this, then = std::move(then)](Result<Reply> reply) {
    if (!reply) return lost(reply.error());
    if (!reply->in_transaction) {
      Then call = then;
      return call(*reply);
    }
    connection_->query("ROLLBACK", [this, then, first = std::move(*reply)](Result<Reply> ended) {
      if (!ended) return lost(ended.error());
      Then call = then;
      call(first);
    });
  });
}

void Session::replied(Result<Reply> reply, const Then& then) {
  if (!reply) return lost(reply.error());
  used_ = true;
  if (reply->error) return refuse(*reply);
  Then call = then;
  call(*reply);
}

void Session::refuse(const Reply& reply) {
  auto copies = std::count_if(reply.tags.begin(), reply.tags.end(),
                              [](const std::string& tag) { return tag.starts_with("COPY "); });
  Refusal refusal{doing_, *reply.error, static_cast<size_t>(copies)};
  if (!reply.in_transaction) return listener_.refused(refusal);
  connection_->run("ROLLBACK", [this, refusal](Result<Reply> ended) {
    if (!ended) connection_.reset();
    listener_.refused(refusal);
  });
}

void Session::lost(const Error& error) {
  bool cut = connection_ && connection_->cut();
  connection_.reset();
  give_up_.stop();
  listener_.lost(error, cut);
}

}  // namespace leat::postgres
