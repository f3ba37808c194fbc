// The session with the server, as the parts of a writer use it: made when it is needed, told what
// holds for all of it, asked whether it is still there after a long rest; and errors come to one
// place.
//
// Thread: the loop's thread. Lifetime: destroying it gives up what is under way (the server rolls
// back) without calling back. Callbacks may do anything but destroy it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "loop/handles.h"
#include "protocols/postgres/connection.h"

namespace leat::postgres {

struct SessionConfig {
  Loop* loop = nullptr;
  Url url;
  SslMode sslmode = SslMode::kPrefer;
  TlsContext* tls = nullptr;
  Milliseconds connect_timeout{0};
  Milliseconds timeout{0};       // for a statement, and for a lock
  std::string_view set_up = {};  // SQL that goes before all else in each session
};

// What the server did not do. No transaction is open any more.
struct Refusal {
  std::string doing;  // "createTable", for messages; "": the delivery itself
  ServerError error;
  size_t copies = 0;  // COPY statements that were done before it

  // In one line, with what a person should look at.
  std::string told() const;
};

class Session {
 public:
  // Is told of errors, in the place of whoever asked.
  class Listener {
   public:
    virtual ~Listener() = default;
    // Also: it never came to be. `cut`: in the middle of an exchange, without a word.
    virtual void lost(const Error& error, bool cut) = 0;
    virtual void refused(const Refusal& refusal) = 0;
  };
  using Then = std::function<void(const Reply&)>;
  using OnError = std::function<bool(const ServerError&)>;

  // Both outlive this.
  Session(const SessionConfig& config, Listener& listener);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool ready() const;
  // A step on the way to it.
  void make_ready(std::function<void()> then);
  bool connected() const { return connection_ && !connection_->lost(); }
  // Changes with each connection: what was made in an earlier session is gone.
  uint64_t number() const { return number_; }
  // An exchange has ended well: had it ended while it was idle, nothing would be lost.
  bool used() const { return used_; }
  void close() { connection_.reset(); }

  // `then` is called only when there was no error. `doing` goes into messages. `on_error`, when
  // there is one, may take an error upon itself, with no transaction open: true.
  void ask(std::string doing, std::string_view sql, Then then, OnError on_error = nullptr);
  // The same for SQL that copies from `source`, which outlives the exchange.
  void copy(std::string_view sql, CopySource& source, Then then);
  // The same for rows that go to `rows`, which outlives the exchange.
  void read(std::string_view sql, RowSink& rows, Then then);
  void go_on() {
    if (connection_) connection_->go_on();
  }
  // CREATE … IF NOT EXISTS that loses a race against another agent's: it is there then.
  void create(std::string doing, std::string_view sql, std::function<void()> then,
              OnError on_error = nullptr);
  // An error that is an answer, too. No transaction is open after it.
  void try_out(std::string_view sql, Then then);

 private:
  void connect(std::function<void()> then);
  void set_up(std::function<void()> then);
  void ping(std::function<void()> then);
  bool stale() const;
  void lost(const Error& error);
  void replied(Result<Reply> reply, const Then& then);
  void refuse(const Reply& reply);

  const SessionConfig& config_;
  Listener& listener_;
  SaltedPassword password_;
  std::optional<Connection> connection_;
  Timer give_up_;
  std::string doing_;
  uint64_t number_ = 0;
  bool set_up_ = false;
  bool used_ = false;
};

}  // namespace leat::postgres
