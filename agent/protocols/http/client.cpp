#include "protocols/http/client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "loop/handles.h"
#include "net/stream.h"

namespace leat::http {
namespace {

// Routers forget connections without telling anybody; a request sent into one of those would wait
// for the whole timeout. So one that was idle for this long is not trusted.
constexpr Milliseconds kLongestIdle{30'000};

}  // namespace

// One connection and the request under way on it, if any.
class Client::Connection final : public StreamListener {
 public:
  explicit Connection(Client& client)
      : client_(client),
        stream_(client.config_.loop, *this),
        timer_(client.config_.loop),
        parser_(client.config_.keep_body) {}

  void connect(Exchange exchange) {
    exchange_ = std::move(exchange);
    stream_.connect(client_.config_.address, client_.config_.connect_timeout, client_.config_.tls);
  }

  void reuse(Exchange exchange) {
    reused_ = true;
    exchange_ = std::move(exchange);
    send();
  }

  bool idle() const { return !exchange_; }
  bool stale() const { return client_.config_.loop.now() - idle_since_ > kLongestIdle; }

  void on_connected(Status status) override {
    if (!status) return finish(fail(status.error()));
    send();
  }

  void on_data(std::span<const char> bytes) override {
    // Some servers say 408 before they close an idle connection; nobody asked.
    if (idle()) return client_.drop(this);
    Result<bool> complete = parser_.feed(bytes);
    if (!complete) return finish(fail(complete.error()));
    if (*complete) finish(parser_.response());
  }

  void on_closed(Status status) override {
    if (idle()) return client_.drop(this);
    if (parser_.end()) return finish(parser_.response());
    if (reused_ && !parser_.started()) {
      Client& client = client_;
      Exchange exchange = std::move(*exchange_);
      client.drop(this);
      return client.connect(std::move(exchange));
    }
    std::string text = parser_.started() ? "the connection was closed in the middle of the answer"
                                         : "the connection was closed without an answer";
    if (!status) text += " (" + status.error().message() + ")";
    finish(fail(ErrorKind::kUnavailable, std::move(text)), true);
  }

 private:
  void send() {
    parser_.reset();
    timer_.start(client_.config_.timeout, [this] {
      finish(fail(ErrorKind::kUnavailable,
                  "no complete answer within " + format_duration(client_.config_.timeout)));
    });
    stream_.write(exchange_->message, nullptr);
  }

  // Ends the exchange, and often this object: nothing may follow it.
  void finish(Result<Response> result, bool cut_off = false) {
    timer_.stop();
    Exchange exchange = std::move(*exchange_);
    exchange_.reset();
    // An answer that came before the request was read makes the rest of the request a nuisance.
    if (result && stream_.all_sent() && parser_.keep_alive()) {
      idle_since_ = client_.config_.loop.now();
    } else {
      client_.drop(this);
    }
    exchange.done({std::move(result), cut_off});
  }

  Client& client_;
  Stream stream_;
  Timer timer_;
  ResponseParser parser_;
  std::optional<Exchange> exchange_;
  bool reused_ = false;
  Milliseconds idle_since_{0};
};

Client::Client(ClientConfig config) : config_(std::move(config)) {}
Client::~Client() = default;

void Client::send(std::vector<uv_buf_t> message, Done done) {
  std::erase_if(connections_, [](const auto& c) { return c->idle() && c->stale(); });
  // The one used last is the one most likely to be still open.
  auto idle = std::find_if(connections_.rbegin(), connections_.rend(),
                           [](const auto& c) { return c->idle(); });
  Exchange exchange{std::move(message), std::move(done)};
  if (idle == connections_.rend()) return connect(std::move(exchange));
  (*idle)->reuse(std::move(exchange));
}

void Client::connect(Exchange exchange) {
  connections_.push_back(std::make_unique<Connection>(*this));
  connections_.back()->connect(std::move(exchange));
}

void Client::drop(Connection* connection) {
  std::erase_if(connections_, [connection](const auto& c) { return c.get() == connection; });
}

}  // namespace leat::http
