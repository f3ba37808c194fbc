// One session with the server: makes the connection, proves who we are, runs SQL in simple queries,
// and streams COPY data.
//
// Thread: the loop's thread. Callbacks come from the loop, never from inside a call, and may
// destroy the Connection; none comes after that. After an error it is of no use any more: destroy
// it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lifetime.h"
#include "base/result.h"
#include "base/units.h"
#include "loop/handles.h"
#include "net/stream.h"
#include "net/tls.h"
#include "protocols/postgres/auth.h"
#include "protocols/postgres/buffer.h"
#include "protocols/postgres/copy_source.h"
#include "protocols/postgres/row_sink.h"
#include "protocols/postgres/server_message.h"
#include "protocols/postgres/url.h"

namespace leat::postgres {

// What an exchange came to, when the server was there until its end.
struct Reply {
  std::optional<ServerError> error;  // the first
  std::vector<Row> rows;             // of all statements, when they were asked for
  std::vector<std::string> tags;     // of the statements that are done: "COPY 5000", "COMMIT"
  bool in_transaction = false;       // still; it has failed when there is an error

  // The one value asked for is true.
  bool says_true() const { return !rows.empty() && !rows[0].empty() && rows[0][0] == "t"; }
};

struct ConnectionConfig {
  Loop& loop;
  const Url* url = nullptr;
  SslMode sslmode = SslMode::kPrefer;
  TlsContext* tls = nullptr;        // null only with SslMode::kDisable or a Unix socket
  Milliseconds connect_timeout{0};  // for all of it
  Milliseconds timeout{0};          // without progress in an exchange
};

class Connection final : private StreamListener {
 public:
  using Opened = std::function<void(Status)>;
  using Replied = std::function<void(Result<Reply>)>;

  // `cache` outlives the connection.
  Connection(ConnectionConfig config, SaltedPassword& cache);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Errors are kUnavailable, and say what a person can look at.
  void open(Opened opened);

  // Runs statements; `sql` may hold several. With `copy`, each COPY … FROM STDIN among them takes
  // its data from there, and what its pieces add is part of the same exchange. An error means that
  // the connection is gone; what a statement did wrong stands in the Reply.
  void run(std::string_view sql, Replied replied, CopySource* copy = nullptr);
  // The same; keeps the rows.
  void query(std::string_view sql, Replied replied);
  // The same for rows that are many, or long. While they must wait, nothing is read: the server is
  // slowed down, and nobody measures its time.
  void read(std::string_view sql, RowSink& rows, Replied replied);
  void go_on();

  // The server has ended an idle session, or the connection is broken.
  bool lost() const { return lost_.has_value(); }
  // It was lost in the middle of an exchange, without a word: as when the server's process dies.
  bool cut() const { return cut_; }
  // When the last exchange ended, by Loop::now().
  Milliseconds idle_since() const { return idle_since_; }

 private:
  enum class Phase { kNew, kDialing, kAskingForTls, kHandshake, kStartup, kIdle, kExchange, kLost };

  // StreamListener.
  void on_connected(Status status) override;
  void on_data(std::span<const char> bytes) override;
  void on_closed(Status status) override;

  void dial();
  bool may_try_again(const ServerError* error);
  void ask_for_tls();
  void tls_answer(std::span<const char> bytes);
  void start_up();
  void startup_message(const Message& message);
  void authenticate(std::string_view body);
  void hash_password(SaltedPasswordRequest request);

  void exchange_message(const Message& message);
  void idle_message(const Message& message);
  bool keep_row(std::string_view body);
  void begin(std::string_view sql, Replied replied, CopySource* copy, bool keep_rows,
             RowSink* rows = nullptr);
  void describe_rows(std::string_view body);
  void give_row(const Message& message);
  void send(std::string message);
  void copy_on();
  void copy_piece(size_t buffer);
  void refuse_copy();
  void copy_written(size_t buffer);
  void finish_exchange();

  void progress();
  void fail_with(std::string why);
  void read_messages();

  // Data of one CopyData message. Larger ones save nothing; smaller ones cost a write each.
  static constexpr size_t kPiece = 64 * 1024;
  static constexpr size_t kMostRowBytes = 4 * 1024 * 1024;
  // In one exchange. A trigger may warn about each row.
  static constexpr int kMostNotices = 1'000'000;
  static constexpr int kMostStartupMessages = 10'000;
  static constexpr size_t kMostTags = 10'000;
  struct CopyBuffer {
    Buffer bytes;
    bool busy = false;
  };

  const ConnectionConfig config_;
  SaltedPassword& cache_;
  Phase phase_ = Phase::kNew;
  std::optional<Stream> stream_;
  bool with_tls_ = false;     // this attempt
  bool tried_again_ = false;  // the other way, after the first attempt
  std::optional<Error> first_error_;
  Milliseconds dial_began_{0};
  Timer deadline_;
  Timer later_;
  MessageReader reader_;
  std::optional<Authentication> authentication_;
  bool authenticated_ = false;
  Opened opened_;

  Replied replied_;
  CopySource* copy_ = nullptr;
  bool keep_rows_ = false;
  RowSink* rows_ = nullptr;
  std::optional<Message> row_waits_;  // for go_on(); it lies in reader_
  bool copying_ = false;              // the server waits for COPY data
  bool copy_due_ = false;             // it has been asked to
  int awaited_ = 0;                   // ReadyForQuery messages
  int notices_ = 0;
  size_t row_bytes_ = 0;
  Reply reply_;
  CopyBuffer buffers_[2];  // one is filled while the other is sent
  std::string copy_end_;   // messages behind the last piece
  std::optional<ServerError> fatal_;
  std::optional<Error> lost_;
  bool cut_ = false;
  Milliseconds idle_since_{0};
  Lifetime lifetime_;
};

}  // namespace leat::postgres
