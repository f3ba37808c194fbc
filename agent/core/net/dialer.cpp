#include "net/dialer.h"

#include <algorithm>
#include <utility>

namespace leat {
// Lives until libuv calls back, which may be after the Dialer is gone.
struct Dialer::Attempt {
  uv_connect_t request;
  Dialer* dialer;

  static void done(uv_connect_t* request, int status) {
    std::unique_ptr<Attempt> attempt(static_cast<Attempt*>(request->data));
    if (attempt->dialer == nullptr) return;
    attempt->dialer->attempt_ = nullptr;
    attempt->dialer->attempted(status);
  }
};

Dialer::Dialer(Loop& loop, const Address& address, Milliseconds timeout, Done done)
    : loop_(loop),
      name_(address.text()),
      deadline_(loop.now() + timeout),
      done_(std::move(done)),
      timer_(loop) {
  timer_.start(timeout, [this, timeout] {
    finish(fail(ErrorKind::kUnavailable,
                what() + ": the name was not resolved within " + format_duration(timeout)));
  });
  if (!address.path.empty()) {
    connect_pipe(address.path);
  } else {
    resolve(address);
  }
}

Dialer::~Dialer() {
  if (attempt_ != nullptr) attempt_->dialer = nullptr;
}

void Dialer::connect_pipe(const std::string& path) {
  // libuv would cut a longer path short, and connect to something else.
  const SocketPath name(path);
  if (!name.fits()) return fail_later(fail_uv(what(), UV_ENAMETOOLONG).value());
  socket_ = Socket::pipe(loop_);
  attempt_ = new Attempt{{}, this};
  attempt_->request.data = attempt_;
  uv_pipe_connect(&attempt_->request, socket_->as_pipe(), name.text().c_str(), Attempt::done);
}

void Dialer::resolve(const Address& address) {
  sockaddr_storage literal = {};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&literal);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&literal);
  if (uv_ip4_addr(address.host.c_str(), address.port, v4) == 0 ||
      uv_ip6_addr(address.host.c_str(), address.port, v6) == 0) {
    addresses_.push_back(literal);
    return try_next();
  }
  // RFC 6761 section 6.3: "localhost" is the loopback address without asking anybody. A minimal
  // root without /etc/hosts would ask the name server.
  if (address.host == "localhost") {
    uv_ip4_addr("127.0.0.1", address.port, v4);
    addresses_.push_back(literal);
    uv_ip6_addr("::1", address.port, v6);
    addresses_.push_back(literal);
    return try_next();
  }
  lookup_.emplace(loop_, address.host, [this, port = address.port](Lookup::Answer answer) {
    resolved(std::move(answer), port);
  });
}

void Dialer::resolved(Lookup::Answer answer, uint16_t port) {
  lookup_.reset();
  if (!answer) return finish(fail(answer.error().kind(), what() + ": " + answer.error().message()));
  addresses_ = std::move(*answer);
  for (sockaddr_storage& address : addresses_) {
    if (address.ss_family == AF_INET6) {
      reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
    } else {
      reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
    }
  }
  try_next();
}

void Dialer::try_next() {
  if (next_ == addresses_.size())
    return fail_later(Error(ErrorKind::kUnavailable, what() + ": the name has no address"));
  Milliseconds left = std::max(deadline_ - loop_.now(), Milliseconds{0});
  timer_.start(left / static_cast<int>(addresses_.size() - next_),
               [this] { attempted(UV_ETIMEDOUT); });

  socket_ = Socket::tcp(loop_);
  attempt_ = new Attempt{{}, this};
  attempt_->request.data = attempt_;
  const auto* address = reinterpret_cast<const sockaddr*>(&addresses_[next_]);
  ++next_;
  int code = uv_tcp_connect(&attempt_->request, socket_->as_tcp(), address, Attempt::done);
  if (code == 0) return;
  delete std::exchange(attempt_, nullptr);
  // Not from here: the caller may be the constructor.
  timer_.start_next_turn([this, code] { attempted(code); });
}

void Dialer::attempted(int uv_code) {
  if (uv_code == 0) return finish(std::move(socket_));
  // On a time-out the attempt is still under way; closing its socket cancels it.
  if (attempt_ != nullptr) std::exchange(attempt_, nullptr)->dialer = nullptr;
  socket_.reset();
  if (next_ < addresses_.size()) return try_next();
  std::string tried =
      next_ > 1 ? " (the last of " + std::to_string(next_) + " addresses tried)" : "";
  finish(fail(fail_uv(what(), uv_code).value().kind(),
              fail_uv(what(), uv_code).value().message() + tried));
}

void Dialer::fail_later(Error error) {
  timer_.start_next_turn([this, error = std::move(error)] { finish(fail(error)); });
}

void Dialer::finish(Result<Socket::Ptr> result) {
  timer_.stop();
  Done done = std::move(done_);
  done(std::move(result));  // may destroy this
}

}  // namespace leat
