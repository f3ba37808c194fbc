#include "protocols/postgres/connection.h"

#include <utility>

#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {

Connection::Connection(ConnectionConfig config, SaltedPassword& cache)
    : config_(config), cache_(cache), deadline_(config.loop), later_(config.loop) {}

Connection::~Connection() {
  // Terminate: polite, and best effort. An open transaction is rolled back.
  static char goodbye[] = {'X', 0, 0, 0, 4};
  uv_buf_t buffer = uv_buf_init(goodbye, sizeof goodbye);
  if (stream_ && phase_ == Phase::kIdle) stream_->write({&buffer, 1}, nullptr);
}

void Connection::run(std::string_view sql, Replied replied, CopySource* copy) {
  begin(sql, std::move(replied), copy, false);
}

void Connection::query(std::string_view sql, Replied replied) {
  begin(sql, std::move(replied), nullptr, true);
}

void Connection::read(std::string_view sql, RowSink& rows, Replied replied) {
  begin(sql, std::move(replied), nullptr, false, &rows);
}

void Connection::begin(std::string_view sql, Replied replied, CopySource* copy, bool keep_rows,
                       RowSink* rows) {
  if (phase_ != Phase::kIdle) {  // it was lost while nobody asked
    later_.start_next_turn([this, replied = std::move(replied)] {
      replied(fail(lost_ ? *lost_ : Error(ErrorKind::kUnavailable, "not connected")));
    });
    return;
  }
  phase_ = Phase::kExchange;
  replied_ = std::move(replied);
  copy_ = copy;
  keep_rows_ = keep_rows;
  rows_ = rows;
  reader_.cut_rows(rows == nullptr ? 0 : rows->longest_row());
  copying_ = false;
  copy_due_ = copy != nullptr;
  notices_ = 0;
  row_bytes_ = 0;
  reply_ = {};
  ++awaited_;
  send(rows != nullptr && rows->binary() ? binary_query_message(sql) : query_message(sql));
  progress();
}

// The text goes away when the kernel, or TLS, has it.
void Connection::send(std::string text) {
  auto kept = std::make_shared<std::string>(std::move(text));
  uv_buf_t buffer = uv_buf_init(kept->data(), static_cast<unsigned>(kept->size()));
  stream_->write({&buffer, 1}, [kept] {});
}

// What the server says does not count, so that one which only chatters does not hold us for ever.
void Connection::progress() {
  deadline_.start(config_.timeout,
                  [this] { fail_with("no answer within " + format_duration(config_.timeout)); });
}

void Connection::on_data(std::span<const char> bytes) {
  if (phase_ == Phase::kAskingForTls) return tls_answer(bytes);
  reader_.append(bytes);
  if (rows_ != nullptr) progress();
  read_messages();
}

void Connection::go_on() {
  if (!row_waits_) return;
  later_.start_next_turn([this] {
    const Message message = *std::exchange(row_waits_, std::nullopt);
    give_row(message);
    if (row_waits_) return;
    progress();
    stream_->resume();
    read_messages();
  });
}

void Connection::give_row(const Message& message) {
  const bool taken = message.cut_from == 0 ? rows_->row(message.body)
                                           : rows_->long_row(message.body, message.cut_from);
  if (taken) return;
  row_waits_ = message;
  stream_->pause();
  deadline_.stop();
}

void Connection::describe_rows(std::string_view body) {
  Result<std::vector<RowColumn>> columns = read_description(body);
  if (!columns) return fail_with(columns.error().message());
  rows_->columns(std::move(*columns));
}

void Connection::read_messages() {
  auto gone = lifetime_.witness();
  while (!*gone && phase_ != Phase::kLost && phase_ != Phase::kDialing && !row_waits_) {
    Result<std::optional<Message>> message = reader_.next();
    if (!message) return fail_with(message.error().message());
    if (!*message) return;
    switch (phase_) {
      case Phase::kStartup:
        startup_message(**message);
        break;
      case Phase::kExchange:
        exchange_message(**message);
        break;
      default:
        idle_message(**message);
    }
  }
}

// Notices, changed settings; and the server's last words when it ends the session.
void Connection::idle_message(const Message& message) {
  switch (message.type) {
    case 'N':
    case 'S':
    case 'A':
      return;
    case 'E': {
      ServerError error = read_error(message.body);
      return fail_with(error.message());
    }
    default:
      return fail_with("the server speaks out of turn");
  }
}

void Connection::exchange_message(const Message& message) {
  switch (message.type) {
    case 'N':  // a notice
    case 'S':  // a setting has changed
    case 'A':  // a notification
      if (++notices_ > kMostNotices) fail_with("the server does not stop sending notices");
      return;
    case 'T':  // description of rows
      if (rows_ != nullptr) describe_rows(message.body);
      return;
    case 'I':  // an empty query
    case '1':  // parsed
    case '2':  // bound
      return;
    case 'D':
      if (rows_ != nullptr) return give_row(message);
      if (keep_rows_ && !keep_row(message.body)) return;
      return;
    case 'C':
      // More tags than statements cannot be; the bound is only for servers that play games.
      if (reply_.tags.size() > kMostTags) return fail_with("the server does not stop answering");
      reply_.tags.emplace_back(BodyReader(message.body).text());
      return;
    case 'E': {
      ServerError error = read_error(message.body);
      if (error.fatal) fatal_ = error;
      if (!reply_.error) reply_.error = std::move(error);
      copying_ = copy_due_ = false;
      return;
    }
    case 'G':
      if (copy_ == nullptr) return refuse_copy();
      if (copying_ || !copy_due_) return fail_with("the server asks for data at the wrong time");
      copying_ = true;
      copy_due_ = false;
      return copy_on();
    case 'Z': {
      char status = static_cast<char>(BodyReader(message.body).byte());
      if (message.body.size() != 1 || (status != 'I' && status != 'T' && status != 'E'))
        return fail_with("the server sent a malformed message");
      if (copying_) return fail_with("the server did not wait for the data");
      reply_.in_transaction = status != 'I';
      if (--awaited_ == 0) finish_exchange();
      return;
    }
    default:
      return fail_with(std::string("the server sent an unexpected message ('") + message.type +
                       "')");
  }
}

bool Connection::keep_row(std::string_view body) {
  row_bytes_ += body.size() + sizeof(Row);
  if (row_bytes_ > kMostRowBytes) {
    fail_with("the server does not stop sending rows");
    return false;
  }
  Result<Row> row = read_row(body);
  if (!row) {
    fail_with(row.error().message());
    return false;
  }
  reply_.rows.push_back(std::move(*row));
  return true;
}

// Of COPY … FROM STDIN in somebody's preSql, say: the server makes an error of it.
void Connection::refuse_copy() {
  send(message('f', terminated("leat has no data for this COPY")));
}

void Connection::copy_on() {
  for (size_t i = 0; i < 2; ++i)
    if (copying_ && !buffers_[i].busy) copy_piece(i);
}

void Connection::copy_piece(size_t index) {
  static constexpr size_t kFrame = 5;
  CopyBuffer& buffer = buffers_[index];
  buffer.bytes.clear();
  char* frame = buffer.bytes.room(kPiece + kPiece / 4);
  frame[0] = 'd';
  buffer.bytes.take(kFrame);
  CopySource::Piece piece = copy_->next(buffer.bytes);
  size_t data = buffer.bytes.size() - kFrame;
  put_int32(buffer.bytes.data() + 1, static_cast<int32_t>(data + 4));

  copy_end_.clear();
  if (piece.kind == CopySource::Piece::Kind::kEnd) {
    copying_ = false;
    copy_due_ = piece.copies_again;
    ++awaited_;
    copy_end_ = message('c', "") + query_message(piece.sql);
  } else if (piece.kind == CopySource::Piece::Kind::kAbort) {
    copying_ = false;
    copy_end_ = message('f', terminated("records that do not fit"));
  }
  if (data == 0 && copy_end_.empty()) {  // it only needs a pause
    later_.start_next_turn([this] { copy_on(); });
    return;
  }
  buffer.busy = true;
  uv_buf_t parts[2] = {
      uv_buf_init(buffer.bytes.data(), data == 0 ? 0 : static_cast<unsigned>(buffer.bytes.size())),
      uv_buf_init(copy_end_.data(), static_cast<unsigned>(copy_end_.size()))};
  if (copy_end_.empty()) return stream_->write({parts, 1}, [this, index] { copy_written(index); });
  auto kept = std::make_shared<std::string>(std::move(copy_end_));
  copy_end_.clear();
  parts[1] = uv_buf_init(kept->data(), static_cast<unsigned>(kept->size()));
  stream_->write({parts, 2}, [this, index, kept] { copy_written(index); });
}

void Connection::copy_written(size_t index) {
  buffers_[index].busy = false;
  buffers_[index].bytes.shrink(4 * kPiece);
  if (phase_ != Phase::kExchange) return;
  progress();
  if (copying_) copy_piece(index);
}

void Connection::finish_exchange() {
  deadline_.stop();
  later_.stop();
  phase_ = Phase::kIdle;
  copy_ = nullptr;
  rows_ = nullptr;
  idle_since_ = config_.loop.now();
  Replied replied = std::move(replied_);
  replied_ = nullptr;
  replied(std::exchange(reply_, {}));  // may destroy this
}

void Connection::on_closed(Status status) {
  if (phase_ == Phase::kStartup && may_try_again(nullptr)) return;
  if (fatal_) return fail_with(fatal_->message());
  if (phase_ == Phase::kExchange && reply_.error) return fail_with(reply_.error->message());
  cut_ = phase_ == Phase::kExchange;
  std::string why = "the server closed the connection";
  if (!status) why += " (" + status.error().message() + ")";
  fail_with(std::move(why));
}

// The connection is of no use any more. Says so to whoever waits, and often ends this object.
void Connection::fail_with(std::string why) {
  if (phase_ == Phase::kLost) return;
  deadline_.stop();
  later_.stop();
  bool opening = phase_ != Phase::kIdle && phase_ != Phase::kExchange;
  phase_ = Phase::kLost;
  copying_ = false;
  row_waits_.reset();
  lost_.emplace(ErrorKind::kUnavailable, config_.url->shown() + ": " + why);
  if (fatal_) {
    std::string_view advice = advice_on(fatal_->sqlstate);
    if (!advice.empty())
      lost_.emplace(lost_->kind(), lost_->message() + ": " + std::string(advice));
  }
  // Not from here: the caller may be the stream, in the middle of its work, or ours.
  stream_.reset();
  if (opening) {
    Opened opened = std::move(opened_);
    opened_ = nullptr;
    if (opened) opened(fail(*lost_));
    return;
  }
  Replied replied = std::move(replied_);
  replied_ = nullptr;
  if (replied) replied(fail(*lost_));
}

}  // namespace leat::postgres
