#include "connectors/mysql/client.h"

#include <errmsg.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "connectors/mysql/caching_sha2.h"
#include "connectors/mysql/errors.h"
#include "connectors/mysql/tls_backend.h"

namespace leat::mysql {
namespace {

// The server says which; of these none gives the password to who listens.
constexpr const char* kAuthentications =
    "mysql_native_password,caching_sha2_password,client_ed25519";

unsigned seconds(Milliseconds time) {
  return static_cast<unsigned>(std::max<int64_t>(1, (time.count() + 999) / 1000));
}

}  // namespace

Client::Client(const ConnectionSettings& settings, TlsContext* tls,
               std::span<const char* const> set_up, size_t longest)
    : settings_(settings), tls_(tls), set_up_(set_up), longest_(longest) {}

void Client::begin_library() {
  static std::once_flag begun;
  std::call_once(begun, [] {
    mysql_library_init(0, nullptr, nullptr);
    register_caching_sha2();
  });
}

Status Client::open() {
  if (mysql_ != nullptr) return {};
  mysql_ = mysql_init(nullptr);
  if (mysql_ == nullptr) return fail(ErrorKind::kUnavailable, "out of memory");
  const unsigned connect = seconds(settings_.connect_timeout);
  const unsigned silence = seconds(settings_.timeout);
  const size_t longest = longest_;
  const unsigned no = 0;
  const my_bool yes = 1;
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_optionsv(mysql_, MYSQL_OPT_READ_TIMEOUT, &silence);
  mysql_optionsv(mysql_, MYSQL_OPT_WRITE_TIMEOUT, &silence);
  mysql_optionsv(mysql_, MYSQL_OPT_MAX_ALLOWED_PACKET, &longest);
  mysql_optionsv(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // A server may ask for any file of the client's.
  mysql_optionsv(mysql_, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "leat");
  mysql_optionsv(mysql_, MARIADB_OPT_RESTRICTED_AUTH, kAuthentications);
  if (tls_ != nullptr) {
    mysql_optionsv(mysql_, MYSQL_OPT_SSL_ENFORCE, &yes);
    // Without it, it would go on with a server that has none.
    mysql_optionsv(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
  }

  const Url& url = settings_.url;
  const bool local = !url.address.path.empty();
  // Else "localhost" is a socket.
  const unsigned protocol = local ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_optionsv(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
  const TlsOfThread tls(tls_, url.address.host);
  if (mysql_real_connect(mysql_, local ? nullptr : url.address.host.c_str(), url.user.c_str(),
                         url.password.c_str(), url.database.c_str(), url.address.port,
                         local ? url.address.path.c_str() : nullptr, 0) == nullptr) {
    Status failed = failure();
    close();
    return failed;
  }
  {
    const std::lock_guard lock(socket_mutex_);
    socket_ = static_cast<int>(mysql_get_socket(mysql_));
    if (cancelled_) ::shutdown(socket_, SHUT_RDWR);
  }
  Status ready = set_session_up();
  if (!ready) close();
  return ready;
}

Status Client::set_session_up() {
  for (const char* sql : set_up_)
    if (Status done = execute(sql); !done) return done;
  return {};
}

void Client::close() {
  {
    const std::lock_guard lock(socket_mutex_);
    // Else freeing a result would read all the rest of it.
    if (!all_read_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    socket_ = -1;
  }
  result_.reset();
  all_read_ = true;
  row_ = nullptr;
  if (mysql_ != nullptr) mysql_close(std::exchange(mysql_, nullptr));
}

void Client::cancel() {
  const std::lock_guard lock(socket_mutex_);
  cancelled_ = true;
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

tl::unexpected<Error> Client::failure() {
  error_number_ = mysql_errno(mysql_);
  error_state_ = mysql_sqlstate(mysql_);
  error_text_ = mysql_error(mysql_);
  const Url& url = settings_.url;
  Error error(kind_of(error_number_), url.shown() + ": " + error_text_);
  if (is_lost(error_number_)) {
    all_read_ = false;  // nobody knows
    close();
  }
  return fail(error);
}

Status Client::execute(const std::string& sql) {
  if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return failure();
  return {};
}

Status Client::run(const std::string& sql) {
  if (Status done = execute(sql); !done) return done;
  for (;;) {
    result_.reset(mysql_use_result(mysql_));
    while (result_ != nullptr && mysql_fetch_row(result_.get()) != nullptr) {
    }
    if (mysql_errno(mysql_) != 0) return failure();
    result_.reset();
    // CALL gives several, and behind them what became of it.
    const int next = mysql_next_result(mysql_);
    if (next > 0) return failure();
    if (next < 0) return {};
  }
}

Result<std::vector<TextRow>> Client::rows_of(const std::string& sql) {
  if (Status begun = begin(sql); !begun) return fail(begun.error());
  std::vector<TextRow> out;
  for (;;) {
    Result<bool> more = next();
    if (!more) return fail(more.error());
    if (!*more) break;
    TextRow& row = out.emplace_back();
    for (size_t i = 0; i < columns(); ++i) {
      const std::string_view text = value(i);
      if (text.data() == nullptr)
        row.emplace_back(std::nullopt);
      else
        row.emplace_back(text);
    }
  }
  end_rows();
  return out;
}

Result<std::vector<ReadColumn>> Client::columns_of(const std::string& sql) {
  if (Status begun = begin(sql); !begun) return fail(begun.error());
  std::vector<ReadColumn> out;
  const MYSQL_FIELD* fields = mysql_fetch_fields(result_.get());
  for (size_t i = 0; i < columns(); ++i) out.push_back(ReadColumn::of(fields[i]));
  Result<bool> none = next();
  if (!none) return fail(none.error());
  end_rows();
  return out;
}

Status Client::begin(const std::string& sql) {
  if (Status done = execute(sql); !done) return done;
  result_.reset(mysql_use_result(mysql_));
  if (result_ == nullptr) {
    if (mysql_errno(mysql_) != 0) return failure();
    return fail(ErrorKind::kUsage, settings_.url.shown() + ": the query is no SELECT");
  }
  all_read_ = false;
  return {};
}

Result<bool> Client::next() {
  row_ = mysql_fetch_row(result_.get());
  if (row_ != nullptr) {
    lengths_ = mysql_fetch_lengths(result_.get());
    return true;
  }
  if (mysql_errno(mysql_) != 0) {
    all_read_ = true;  // an error ends the rows
    return failure();
  }
  all_read_ = true;
  return false;
}

std::string_view Client::value(size_t column) const {
  if (row_[column] == nullptr) return {};
  return {row_[column], lengths_[column]};
}

void Client::end_rows() {
  if (!all_read_) return close();
  result_.reset();
}

}  // namespace leat::mysql
