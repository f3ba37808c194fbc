// Brings deliveries to the server over one connection, which is made when it is needed, and does
// before the first what must be done: preSql, a look at the table, the staging table, positions.
//
// Each goal (a delivery, the positions, the end of the job) is reached by steps. A step asks the
// server something and comes back to go(), which looks at what is still missing. So it does not
// matter where the last attempt ended, nor what a new connection has forgotten.
//
// Thread: the loop's thread. Lifetime: destroying it gives up what is under way (the server rolls
// back) without calling back.
#pragma once

#include <uv.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connectors/postgres/job.h"
#include "connectors/postgres/layout.h"
#include "connectors/postgres/mapping.h"
#include "connectors/postgres/positions.h"
#include "connectors/postgres/rows.h"
#include "loop/handles.h"
#include "protocols/postgres/connection.h"
#include "stage/sink.h"

namespace leat::postgres {

struct WriterConfig {
  uv_loop_t* loop = nullptr;
  Url url;
  SslMode sslmode = SslMode::kPrefer;
  TlsContext* tls = nullptr;
  Milliseconds connect_timeout{0};
  Milliseconds timeout{0};
  TableName table;
  MappingConfig mapping;
  std::string merge_sql;
  Job job;
};

class Writer {
 public:
  explicit Writer(WriterConfig config);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // One of these at a time; each calls back once, from the loop.
  void deliver(const Delivery& delivery, std::function<void(Answer)> done);
  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done);
  // Runs postSql, if the job has begun; tries until the server is there.
  void finish(std::function<void(Status)> done);

 private:
  enum class Goal { kNone, kDeliver, kLoad, kFinish };

  void start(Goal goal);
  void go();
  void go_deliver();
  void end(Answer answer);

  // Steps.
  void connect();
  void set_up_session();
  void ping();
  void begin_job();
  void run_pre_sql();
  void look();
  void looked(const Reply& reply);
  void create_table();
  void widen_table();
  void make_staging();
  void find_positions();
  void take_positions();
  void write();
  void write_positions_only();
  void write_inserts();
  void written(const Reply& reply);
  void end_job();
  void run_post_sql();

  // `doing` goes into messages. `then` is called only when there was no error.
  using Then = std::function<void(const Reply&)>;
  void ask(std::string doing, std::string_view sql, Then then);
  void replied(Result<Reply> reply, const Then& then);
  // CREATE … IF NOT EXISTS that loses a race against another agent's: it is there then.
  void create(std::string doing, std::string_view sql, std::function<void()> then);
  // The same, made from the delivery's records, which are rejected when it is refused for them.
  void define(std::string_view sql, std::function<void()> then);
  void lost(const Error& error);
  void refused(const ServerError& error, bool in_transaction, size_t copies);
  void judge(const ServerError& error, size_t copies);
  void confirm_table(const ServerError& error, size_t copies);
  void judge_rejected(const ServerError& error, size_t copies);
  void suspect(const ServerError& error, size_t copies);
  void try_without_records(const ServerError& error);
  void give_up(const ServerError& error);
  void drifted(const ServerError& error, size_t copies);
  void position_moved();
  Answer moved_by_somebody() const;
  std::string told(const ServerError& error) const;
  Answer all_rejected(std::string reason) const;
  void tell_unknown_fields();
  bool stale() const;
  bool staged() const;

  const WriterConfig config_;
  const std::string shown_;  // of the URL, before messages
  SaltedPassword password_;
  FieldText text_;
  Positions positions_;
  Timer later_;

  std::optional<Connection> connection_;
  bool session_ready_ = false;
  bool session_used_ = false;  // an exchange has ended well
  bool staging_ready_ = false;
  bool job_begun_ = false;
  bool positions_table_ready_ = false;
  bool proved_ = false;  // records of this pipeline have been stored
  int suspects_ = 0;  // records in a row, rejected for what may be the table's or the SQL's fault

  std::optional<Target> target_;
  std::optional<Mapping> mapping_;
  std::set<std::string> told_unknown_;

  Goal goal_ = Goal::kNone;
  std::string doing_;
  const Delivery* delivery_ = nullptr;
  std::function<void(Answer)> delivered_;
  std::function<void(Result<std::vector<SavedPosition>>)> loaded_;
  std::function<void(Status)> finished_;
  size_t post_sql_done_ = 0;
  Milliseconds finish_delay_{0};
  std::optional<Rows> rows_;
  std::string insert_;
  // What was done for this goal already, and is not done twice.
  bool reconnected_ = false;
  bool looked_again_ = false;
  bool created_ = false;
  bool widened_ = false;
  bool fenced_ = false;
};

}  // namespace leat::postgres
