// One connection to the server, by libmariadb. Its calls block: it looks up names with one that
// does even where the rest of it need not.
//
// Thread: one at a time (a job thread); cancel() and begin_library() from any.
#pragma once

#include <mysql.h>

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/mysql/columns.h"
#include "connectors/mysql/settings.h"

namespace leat::mysql {

using TextRow = std::vector<std::optional<std::string>>;

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

class Client {
 public:
  // `settings`, `tls` (null: none) and `set_up` (statements of each session) outlive it. `longest`:
  // bytes of a row; a longer one ends the connection.
  Client(const ConnectionSettings& settings, TlsContext* tls, std::span<const char* const> set_up,
         size_t longest);
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Before the first is opened.
  static void begin_library();

  // Does nothing when it is open.
  Status open();
  void close();
  bool is_open() const { return mysql_ != nullptr; }
  // What runs now, and all behind it, fails soon; an open() that is under way by its timeout only.
  void cancel();

  Status execute(const std::string& sql);
  // A statement of the user's: rows that it gives are read and forgotten.
  Status run(const std::string& sql);
  Result<std::vector<TextRow>> rows_of(const std::string& sql);
  // Of a SELECT.
  Result<std::vector<ReadColumn>> columns_of(const std::string& sql);

  // Rows as they arrive: begin(), then next() until it says that there are no more, or end_rows().
  Status begin(const std::string& sql);
  size_t columns() const { return mysql_num_fields(result_.get()); }
  Result<bool> next();
  // Of the row that next() has found. Without data: NULL.
  std::string_view value(size_t column) const;
  // Also in the middle: then the connection is given up, since all the rest would have to be read.
  void end_rows();

  // Of the last failure.
  unsigned error_number() const { return error_number_; }
  const std::string& error_state() const { return error_state_; }  // its SQLSTATE
  const std::string& error_text() const { return error_text_; }

 private:
  Status set_session_up();
  tl::unexpected<Error> failure();

  const ConnectionSettings& settings_;
  TlsContext* const tls_;
  const std::span<const char* const> set_up_;
  const size_t longest_;
  MYSQL* mysql_ = nullptr;
  std::unique_ptr<MYSQL_RES, FreeResult> result_;
  MYSQL_ROW row_ = nullptr;
  const unsigned long* lengths_ = nullptr;
  bool all_read_ = true;
  unsigned error_number_ = 0;
  std::string error_state_;
  std::string error_text_;

  std::mutex socket_mutex_;  // what follows
  int socket_ = -1;
  bool cancelled_ = false;
};

}  // namespace leat::mysql
