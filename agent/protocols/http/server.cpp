#include "protocols/http/server.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <utility>

#include "loop/handles.h"
#include "net/stream.h"

namespace leat::http {
namespace {

// A client that was refused in the middle of what it sends needs time to read why: closing at once
// would reset the connection, and throw the answer away with it (RFC 9112 section 9.6).
constexpr Milliseconds kLinger{2'000};

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace

// One connection: reads a request, hands it to the handler, and reads on when it is answered.
class Server::Connection final : public StreamListener {
 public:
  Connection(Server& server, Socket::Ptr socket)
      : server_(server),
        parser_(server.setup_.longest_body),
        stream_(server.setup_.loop, *this),
        timer_(server.setup_.loop) {
    stream_.accept(std::move(socket));
    wait_for_request();
  }
  ~Connection() override;

  bool idle() const { return unfinished() && !parser_.started(); }
  // No whole request has come that is still to be answered.
  bool unfinished() const { return !answering_ && !closing_; }
  void refuse(int status, std::string_view reason);

  void on_connected(Status status) override {
    if (!status) return server_.drop(this);
    if (server_.setup_.tls != nullptr && !std::exchange(secured_, true))
      stream_.start_tls(*server_.setup_.tls, "", server_.setup_.patience);
  }
  void on_data(std::span<const char> bytes) override;
  void on_closed(Status) override { server_.drop(this); }

  // From the Reply.
  void write_head(int status, std::string_view type, std::string_view head, const size_t* length);
  void write_body(std::string bytes);
  void write_chunk(std::string bytes);
  void finish_stream();
  void answered();
  size_t waiting() const { return waiting_; }

 private:
  void read(std::span<const char> bytes);
  void handle();
  void wait_for_request();
  void wait_for_rest();
  void wait_for_client();
  void close_soon();
  void write(std::string bytes);
  void taken();

  Server& server_;
  RequestParser parser_;
  std::weak_ptr<Reply> reply_;  // of the request that is being answered
  std::string pending_;         // what follows the request that is being answered
  std::deque<std::string> writing_;
  size_t waiting_ = 0;  // bytes in it
  bool answering_ = false;
  bool ended_ = false;  // the answer is complete, though not all taken
  bool chunked_ = false;
  bool without_body_ = false;
  bool closing_ = false;  // after the answer
  bool refused_ = false;  // in the middle of what the client sends, perhaps
  bool secured_ = false;  // TLS has begun
  Stream stream_;
  Timer timer_;
};

class Server::Reply final : public Responder {
 public:
  explicit Reply(Connection& connection) : connection_(&connection) {}
  // Whoever forgets to answer has failed.
  ~Reply() override {
    if (connection_ == nullptr || ended_) return;
    if (!begun_) {
      reply(500, "text/plain", "no answer\n");
    } else {
      end();
    }
  }

  void reply(int status, std::string_view type, std::string body, std::string_view head) override {
    if (connection_ == nullptr || begun_) return;
    begun_ = ended_ = true;
    const size_t length = body.size();
    connection_->write_head(status, type, head, &length);
    connection_->write_body(std::move(body));
    connection_->answered();
  }
  void reply(int status, std::string_view type, std::string body) {
    reply(status, type, std::move(body), "");
  }
  void begin(int status, std::string_view type) override {
    if (connection_ == nullptr || begun_) return;
    begun_ = true;
    connection_->write_head(status, type, "", nullptr);
  }
  void send(std::string bytes) override {
    if (connection_ != nullptr && begun_ && !ended_ && !bytes.empty())
      connection_->write_chunk(std::move(bytes));
  }
  void end() override {
    if (connection_ == nullptr || !begun_ || ended_) return;
    ended_ = true;
    connection_->finish_stream();
    connection_->answered();
  }
  size_t waiting() const override { return connection_ != nullptr ? connection_->waiting() : 0; }
  void on_gone(std::function<void()> listener) override { on_gone_ = std::move(listener); }

  void gone() {
    connection_ = nullptr;
    if (ended_) return;
    auto listener = std::exchange(on_gone_, nullptr);
    if (listener) listener();
  }

 private:
  Connection* connection_;
  std::function<void()> on_gone_;
  bool begun_ = false;
  bool ended_ = false;
};

Server::Connection::~Connection() {
  if (auto reply = reply_.lock()) reply->gone();
}

void Server::Connection::on_data(std::span<const char> bytes) {
  if (closing_) return;  // what was refused is not looked at
  read(bytes);
}

void Server::Connection::read(std::span<const char> bytes) {
  if (bytes.empty()) return;
  if (!parser_.started()) wait_for_rest();
  RequestParser::State state = parser_.feed(bytes);
  if (state == RequestParser::State::kContinue) {
    write("HTTP/1.1 100 Continue\r\n\r\n");
    state = parser_.feed(bytes);
  }
  switch (state) {
    case RequestParser::State::kMore:
    case RequestParser::State::kContinue:
      return;
    case RequestParser::State::kRefused:
      return refuse(parser_.refusal().status, parser_.refusal().reason);
    case RequestParser::State::kComplete:
      pending_.assign(bytes.data(), bytes.size());
      return handle();
  }
}

void Server::Connection::handle() {
  stream_.pause();  // one request at a time: what follows waits with the client
  timer_.stop();
  answering_ = true;
  ended_ = false;
  without_body_ = parser_.request().method == "HEAD";
  if (!parser_.keep_alive()) closing_ = true;
  auto reply = std::make_shared<Reply>(*this);
  reply_ = reply;
  server_.setup_.handler(std::move(parser_.request()), std::move(reply));
}

void Server::Connection::refuse(int status, std::string_view reason) {
  answering_ = closing_ = refused_ = true;
  without_body_ = false;
  std::string body(reason);
  body += '\n';
  const size_t length = body.size();
  write_head(status, "text/plain; charset=utf-8", "", &length);
  write_body(std::move(body));
  answered();
}

// No Date: a gateway's clock is often wrong, and a server without one must not send it (RFC 9110
// section 6.6.1).
void Server::Connection::write_head(int status, std::string_view type, std::string_view head,
                                    const size_t* length) {
  chunked_ = length == nullptr && !parser_.is_old();
  if (length == nullptr) {
    closing_ = true;
    stream_.resume();  // so that it is seen when the client leaves
  }
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out += reason_phrase(status);
  out += "\r\n";
  if (!type.empty()) (out += "Content-Type: ").append(type) += "\r\n";
  if (length != nullptr && status != 204 && status != 304)
    out += "Content-Length: " + std::to_string(*length) + "\r\n";
  if (chunked_) out += "Transfer-Encoding: chunked\r\n";
  out += closing_ ? "Connection: close\r\n" : "";
  if (head.find("Cache-Control:") == std::string_view::npos) out += "Cache-Control: no-store\r\n";
  out += "X-Content-Type-Options: nosniff\r\n";
  out += head;
  out += "\r\n";
  write(std::move(out));
}

void Server::Connection::write_body(std::string bytes) {
  if (!without_body_ && !bytes.empty()) write(std::move(bytes));
}

void Server::Connection::write_chunk(std::string bytes) {
  if (without_body_) return;
  if (!chunked_) return write(std::move(bytes));
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  bytes.insert(0, size);
  bytes += "\r\n";
  write(std::move(bytes));
}

void Server::Connection::finish_stream() {
  if (chunked_ && !without_body_) write("0\r\n\r\n");
}

void Server::Connection::write(std::string bytes) {
  if (writing_.empty()) wait_for_client();
  waiting_ += bytes.size();
  writing_.push_back(std::move(bytes));
  std::string& last = writing_.back();
  uv_buf_t buffer = uv_buf_init(last.data(), static_cast<unsigned>(last.size()));
  stream_.write({&buffer, 1}, [this] { taken(); });
}

void Server::Connection::taken() {
  waiting_ -= writing_.front().size();
  writing_.pop_front();
  if (!writing_.empty()) {
    wait_for_client();
  } else if (answering_) {
    timer_.stop();
  } else {
    wait_for_rest();  // it was "100 Continue"
  }
  if (ended_) answered();
}

void Server::Connection::wait_for_client() {
  timer_.start(server_.setup_.patience, [this] { server_.drop(this); });
}

// The answer is complete; when the client has all of it, the next request may come.
void Server::Connection::answered() {
  ended_ = true;
  if (!writing_.empty()) return;
  answering_ = ended_ = false;
  if (closing_) return close_soon();
  wait_for_request();
  stream_.resume();
  read(std::exchange(pending_, {}));
}

void Server::Connection::wait_for_request() {
  parser_.reset();
  timer_.start(server_.setup_.idle, [this] { server_.drop(this); });
}

void Server::Connection::wait_for_rest() {
  timer_.start(server_.setup_.patience,
               [this] { refuse(408, "the request did not come in time"); });
}

void Server::Connection::close_soon() {
  stream_.resume();
  const Milliseconds linger = refused_ || !pending_.empty() ? kLinger : Milliseconds{0};
  timer_.start(linger, [this] { server_.drop(this); });
}

Server::Server(ServerSetup setup) : setup_(std::move(setup)) {}
Server::~Server() = default;

void Server::accept(Socket::Ptr socket) {
  bool full = connections_.size() >= setup_.most_connections;
  if (full) {
    auto one = std::ranges::find_if(connections_, [](const auto& c) { return c->idle(); });
    // Requests that are begun and never come must not keep out those that do.
    if (one == connections_.end())
      one = std::ranges::find_if(connections_, [](const auto& c) { return c->unfinished(); });
    if (one == connections_.end()) return;  // closed by its destructor
    connections_.erase(one);
  }
  connections_.push_back(std::make_unique<Connection>(*this, std::move(socket)));
}

void Server::drop(Connection* connection) {
  std::erase_if(connections_, [connection](const auto& c) { return c.get() == connection; });
}

}  // namespace leat::http
