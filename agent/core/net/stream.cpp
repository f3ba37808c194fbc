#include "net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "net/stream_state.h"

namespace leat {
namespace {

constexpr std::string_view kScope = "net";
constexpr unsigned kKeepAliveSeconds = 60;
// After a failed write, how long to wait for what the peer may have said before it closed.
constexpr Milliseconds kLastWords{1000};

}  // namespace

void Stream::State::connect(const Address& address, Milliseconds timeout, TlsContext* tls) {
  phase_ = Phase::kConnecting;
  name_ = address.text();
  host_ = address.host;
  tls_context_ = tls;
  timeout_ = timeout;
  log::debug(kScope, [this] { return "connecting to " + name_; });
  connect_began_ = loop_.now();
  dialer_.emplace(loop_, address, timeout, [this](Result<Socket::Ptr> socket) {
    auto self = shared_from_this();
    connected(std::move(socket));
  });
}

void Stream::State::connected(Result<Socket::Ptr> socket) {
  if (!socket) return end(fail(socket.error()));
  take(std::move(*socket));
  dialer_.reset();
  if (tls_context_ == nullptr) return opened();
  Milliseconds spent = loop_.now() - connect_began_;
  phase_ = Phase::kOpen;
  start_tls(*tls_context_, host_, std::max(timeout_ - spent, Milliseconds{1}));
}

void Stream::State::take(Socket::Ptr socket) {
  socket_ = std::move(socket);
  uv_stream_t* stream = socket_->stream();
  stream->data = this;
  if (stream->type == UV_TCP) {
    // Both are wishes; a connection without them works.
    (void)uv_tcp_nodelay(socket_->as_tcp(), 1);
    (void)uv_tcp_keepalive(socket_->as_tcp(), 1, kKeepAliveSeconds);
  }
}

void Stream::State::accept(Socket::Ptr socket) {
  phase_ = Phase::kConnecting;
  take(std::move(socket));
  later([this] { opened(); });
}

void Stream::State::start_tls(TlsContext& tls, const std::string& host, Milliseconds timeout) {
  phase_ = Phase::kHandshaking;
  auto session = TlsSession::create(tls, host, *this);
  if (!session) return fail_later(session.error());
  tls_ = std::move(*session);
  plain_.resize(kReadBufferSize);
  deadline_.emplace(loop_);
  deadline_->start(timeout, [this] {
    auto self = shared_from_this();
    end(fail(ErrorKind::kUnavailable, "connect " + name_ + ": no TLS handshake in time"));
  });
  later([this] { pump(); });
}

void Stream::State::opened() {
  phase_ = Phase::kOpen;
  deadline_.reset();
  update_reading();
  if (!name_.empty())
    log::debug(kScope, [this] { return "connected to " + name_ + (tls_ ? ", with TLS" : ""); });
  listener_.on_connected({});
}

void Stream::State::end(Status status) {
  if (phase_ == Phase::kClosed) return;
  bool was_open = phase_ == Phase::kOpen;
  if (was_open && write_error_) status = fail(*write_error_);
  if (!name_.empty())
    log::debug(kScope, [&, this] {
      return name_ + (was_open ? " has closed the connection" : " cannot be connected to") +
             (status ? "" : ": " + status.error().message());
    });
  shut();
  if (was_open) {
    listener_.on_closed(std::move(status));
  } else {
    listener_.on_connected(std::move(status));
  }
}

void Stream::State::shut() {
  if (phase_ == Phase::kOpen && !name_.empty())
    log::debug(kScope, [this] { return "the connection to " + name_ + " is closed"; });
  if (phase_ == Phase::kOpen && tls_ && !write_error_ && !flushing_ && outgoing_.empty()) {
    tls_->notify_close();
    uv_buf_t buffer = uv_buf_init(cipher_.data(), static_cast<unsigned>(cipher_.size()));
    // Best effort: the peer sees the socket close in any case.
    if (!cipher_.empty()) (void)uv_try_write(socket_->stream(), &buffer, 1);
  }
  phase_ = Phase::kClosed;
  dialer_.reset();
  deadline_.reset();
  later_.reset();
  socket_.reset();
}

// Calls back from the loop, for what must not happen inside a call from the listener. A call that
// is not yet made is replaced.
void Stream::State::later(std::function<void()> call) {
  if (failing_) return;
  if (!later_) later_.emplace(loop_);
  later_->start_next_turn([this, call = std::move(call)] {
    auto self = shared_from_this();
    call();
  });
}

void Stream::State::fail_later(Error error) {
  later([this, error = std::move(error)] { end(fail(error)); });
  failing_ = true;
}

void Stream::State::write(std::span<const uv_buf_t> buffers, Done done) {
  if (phase_ != Phase::kOpen || write_error_) return;  // on_closed() says or has said why
  if (!tls_) {
    auto write = std::make_unique<Write>();
    write->done = std::move(done);
    return submit(std::move(write), buffers);
  }
  outgoing_.push_back({{buffers.begin(), buffers.end()}, 0, std::move(done)});
  pump_writes();
}

bool Stream::State::all_sent() const {
  return phase_ == Phase::kOpen && !write_error_ && outgoing_.empty() && cipher_.empty() &&
         uv_stream_get_write_queue_size(socket_->stream()) == 0;
}

void Stream::State::submit(std::unique_ptr<Write> write, std::span<const uv_buf_t> buffers) {
  write->state = weak_from_this();
  write->request.data = write.get();
  for (const uv_buf_t& buffer : buffers)
    Meter::of_process().count(socket_->stream(), metered_, buffer.len);
  int code = uv_write(&write->request, socket_->stream(), buffers.data(),
                      static_cast<unsigned>(buffers.size()), [](uv_write_t* request, int status) {
                        std::unique_ptr<Write> done(static_cast<Write*>(request->data));
                        std::shared_ptr<State> state = done->state.lock();
                        if (!state || state->phase_ == Phase::kClosed) return;
                        if (status != 0) return state->write_failed(fail_uv("write", status));
                        if (done->done) done->done();
                      });
  if (code == 0) {
    (void)write.release();  // the callback frees it
    return;
  }
  write_failed(fail_uv("write", code));
}

// The peer may have said why it does not read on (an HTTP server answers 413 and closes): what has
// arrived is read before the connection is given up.
void Stream::State::write_failed(Status status) {
  if (write_error_) return;
  write_error_ = status.error();
  if (phase_ == Phase::kOpen && paused_) return fail_later(*write_error_);
  deadline_.emplace(loop_);
  deadline_->start(kLastWords, [this] {
    auto self = shared_from_this();
    end(fail(*write_error_));
  });
}

void Stream::State::pause() {
  paused_ = true;
  if (phase_ == Phase::kOpen) update_reading();
}

void Stream::State::resume() {
  if (!paused_) return;
  paused_ = false;
  if (phase_ != Phase::kOpen) return;
  if (tls_) return later([this] { pump(); });  // there may be bytes that are already decrypted
  update_reading();
}

void Stream::State::update_reading() {
  bool wanted = socket_ && (phase_ == Phase::kHandshaking || !paused_) && unread_.empty();
  if (wanted == reading_) return;
  reading_ = wanted;
  if (!wanted) {
    uv_read_stop(socket_->stream());
    return;
  }
  auto buffer = [](uv_handle_t* handle, size_t, uv_buf_t* into) {
    auto* state = static_cast<State*>(handle->data);
    *into = uv_buf_init(state->read_buffer_.data(), kReadBufferSize);
  };
  auto read = [](uv_stream_t* stream, ssize_t n, const uv_buf_t*) {
    auto state = static_cast<State*>(stream->data)->shared_from_this();
    state->on_read(n);
  };
  int code = uv_read_start(socket_->stream(), buffer, read);
  if (code != 0) fail_later(fail_uv("read", code).value());
}

void Stream::State::on_read(ssize_t n) {
  if (n == 0) return;  // EAGAIN
  if (n < 0) {
    if (n == UV_EOF && !tls_) return end({});
    if (n == UV_EOF && phase_ == Phase::kOpen)
      return end(fail(ErrorKind::kUnavailable, "TLS: closed by the server without close_notify"));
    if (n == UV_EOF) return end_handshake(tls_->cut_short());
    const std::string what = phase_ == Phase::kOpen ? "read" : "connect " + name_;
    return end(fail_uv(what, static_cast<int>(n)));
  }
  std::span<const char> bytes(read_buffer_.data(), static_cast<size_t>(n));
  Meter::of_process().count(socket_->stream(), metered_, bytes.size());
  if (!tls_) {
    listener_.on_data(bytes);
  } else {
    unread_ = bytes;
    pump();
  }
  if (confirms_at_once_ && phase_ != Phase::kClosed) confirm();
}

// After the listener has answered: its answer confirms, too. The kernel forgets the wish soon, so
// it is told again each time (tcp(7)).
void Stream::State::confirm() {
  int fd = 0;
  int on = 1;
  if (socket_->stream()->type == UV_TCP &&
      uv_fileno(reinterpret_cast<uv_handle_t*>(socket_->stream()), &fd) == 0)
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

Stream::Stream(Loop& loop, StreamListener& listener)
    : state_(std::make_shared<State>(loop, listener)) {}

Stream::~Stream() {
  state_->shut();
}

void Stream::connect(const Address& address, Milliseconds timeout, TlsContext* tls) {
  state_->connect(address, timeout, tls);
}

void Stream::accept(Socket::Ptr socket) {
  state_->accept(std::move(socket));
}

void Stream::start_tls(TlsContext& tls, const std::string& host, Milliseconds timeout) {
  state_->start_tls(tls, host, timeout);
}

void Stream::write(std::span<const uv_buf_t> buffers, Done done) {
  state_->write(buffers, std::move(done));
}

void Stream::confirm_at_once() {
  state_->confirm_at_once();
}

bool Stream::all_sent() const {
  return state_->all_sent();
}

void Stream::pause() {
  state_->pause();
}

void Stream::resume() {
  state_->resume();
}

std::string Stream::server_end_point() const {
  return state_->server_end_point();
}

}  // namespace leat
