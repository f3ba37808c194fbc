// How a Connection comes to be: TLS or not, the startup message, authentication.
// (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP)
#include <algorithm>
#include <utility>

#include "loop/pool.h"
#include "protocols/postgres/connection.h"
#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

constexpr int32_t kProtocol = 3 << 16;              // 3.0
constexpr int32_t kSslRequest = 1234 << 16 | 5679;  // in the place of the version

}  // namespace

void Connection::open(Opened opened) {
  opened_ = std::move(opened);
  bool unix_socket = !config_.url->address.path.empty();
  with_tls_ =
      !unix_socket && config_.sslmode != SslMode::kDisable && config_.sslmode != SslMode::kAllow;
  deadline_.start(config_.connect_timeout, [this] {
    fail_with("no session within " + format_duration(config_.connect_timeout));
  });
  dial_began_ = config_.loop.now();
  dial();
}

void Connection::dial() {
  phase_ = Phase::kDialing;
  reader_ = {};
  authentication_.reset();
  authenticated_ = false;
  fatal_.reset();
  stream_.emplace(config_.loop, static_cast<StreamListener&>(*this));
  stream_->connect(config_.url->address, config_.connect_timeout);
}

// sslmode prefer and allow: a server that does not want us one way may want us the other way.
bool Connection::may_try_again(const ServerError* error) {
  if (tried_again_ || !config_.url->address.path.empty()) return false;
  bool prefer = config_.sslmode == SslMode::kPrefer && with_tls_;
  bool allow = config_.sslmode == SslMode::kAllow && !with_tls_;
  if (!prefer && !allow) return false;
  // 28000: pg_hba.conf has no entry for this kind of connection.
  if (error != nullptr && error->sqlstate != "28000") return false;
  if (error == nullptr && authentication_) return false;
  tried_again_ = true;
  with_tls_ = !with_tls_;
  dial();
  return true;
}

void Connection::on_connected(Status status) {
  if (!status) {
    if (phase_ == Phase::kHandshake && may_try_again(nullptr)) return;
    return fail_with(status.error().message());
  }
  if (phase_ == Phase::kHandshake || !with_tls_) return start_up();
  ask_for_tls();
}

void Connection::ask_for_tls() {
  phase_ = Phase::kAskingForTls;
  std::string body;
  append_int32(body, kSslRequest);
  send(message(0, body));
}

void Connection::tls_answer(std::span<const char> bytes) {
  if (bytes[0] == 'S') {
    // Whatever comes behind it in clear was put there by somebody on the way, to be taken for the
    // server's once TLS is on (CVE-2021-23222).
    if (bytes.size() > 1)
      return fail_with(
          "bytes in clear behind the answer to the request for TLS: somebody on the "
          "way may be interfering");
    phase_ = Phase::kHandshake;
    Milliseconds left = config_.connect_timeout - (config_.loop.now() - dial_began_);
    stream_->start_tls(*config_.tls, config_.url->address.host, std::max(left, Milliseconds{1}));
    return;
  }
  if (bytes[0] != 'N') return fail_with("what answers does not speak PostgreSQL's protocol");
  if (config_.sslmode != SslMode::kPrefer)
    return fail_with("the server does not offer TLS, and sslmode demands it");
  with_tls_ = false;
  if (bytes.size() > 1) return fail_with("the server speaks out of turn");
  start_up();
}

void Connection::start_up() {
  phase_ = Phase::kStartup;
  const Url& url = *config_.url;
  std::string body;
  append_int32(body, kProtocol);
  auto parameter = [&body](std::string_view name, std::string_view value) {
    if (!value.empty()) body += terminated(name) + terminated(value);
  };
  parameter("user", url.user);
  parameter("database", url.database);
  parameter("application_name", url.application);
  parameter("client_encoding", "UTF8");
  // Times without a zone are in UTC everywhere in leat.
  parameter("TimeZone", "UTC");
  parameter("standard_conforming_strings", "on");
  parameter("options", url.options);
  body += '\0';
  send(message(0, body));
}

void Connection::startup_message(const Message& message) {
  switch (message.type) {
    case 'R':
      if (authenticated_) return fail_with("the server asks who we are a second time");
      return authenticate(message.body);
    case 'E': {
      ServerError error = read_error(message.body);
      if (may_try_again(&error)) return;
      fatal_ = error;
      return fail_with(error.message());
    }
    case 'N':
    case 'S':  // a setting
    case 'K':  // for cancelling, which we do not do
    case 'v':  // options of the protocol that the server does not know: we asked for none
      if (++notices_ > kMostStartupMessages) fail_with("the server does not come to the point");
      return;
    case 'Z': {
      if (!authenticated_) return fail_with("the server did not ask who we are");
      deadline_.stop();
      phase_ = Phase::kIdle;
      idle_since_ = config_.loop.now();
      Opened opened = std::move(opened_);
      opened_ = nullptr;
      return opened({});
    }
    default:
      return fail_with("what answers does not speak PostgreSQL's protocol");
  }
}

void Connection::authenticate(std::string_view body) {
  if (!authentication_) {
    bool unix_socket = !config_.url->address.path.empty();
    authentication_.emplace(*config_.url,
                            Channel{.private_line = with_tls_ || unix_socket,
                                    .tls = with_tls_,
                                    .end_point = stream_->server_end_point()},
                            cache_);
  }
  Result<Authentication::Step> step = authentication_->on_request(body);
  if (!step) return fail_with(step.error().message());
  authenticated_ = step->done;
  if (!step->reply.empty()) send(std::move(step->reply));
  if (step->hash) hash_password(std::move(*step->hash));
}

// Thousands of rounds of HMAC take milliseconds on a server, and long on a small board.
void Connection::hash_password(SaltedPasswordRequest request) {
  auto job = std::make_shared<const SaltedPasswordRequest>(std::move(request));
  run_in_pool(
      config_.loop, lifetime_, [job] { return salted_password(*job); },
      [this, job](std::string salted) {
        if (phase_ != Phase::kStartup) return;
        Result<std::string> reply = authentication_->salted(*job, std::move(salted));
        if (!reply) return fail_with(reply.error().message());
        send(std::move(*reply));
      });
}

}  // namespace leat::postgres
