#include "net/scripted_server.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

namespace leat::testing {
namespace {

void must(int code) {
  if (code != 0) std::abort();
}

void free_stream(uv_handle_t* handle) {
  if (handle->type == UV_TCP) {
    delete reinterpret_cast<uv_tcp_t*>(handle);
  } else {
    delete reinterpret_cast<uv_pipe_t*>(handle);
  }
}

uv_stream_t* new_stream(Loop& loop, bool is_pipe) {
  if (is_pipe) {
    auto* pipe = new uv_pipe_t;
    must(uv_pipe_init(loop.uv(), pipe, 0));
    return reinterpret_cast<uv_stream_t*>(pipe);
  }
  auto* tcp = new uv_tcp_t;
  must(uv_tcp_init(loop.uv(), tcp));
  return reinterpret_cast<uv_stream_t*>(tcp);
}

uv_handle_t* as_handle(uv_stream_t* stream) {
  return reinterpret_cast<uv_handle_t*>(stream);
}

struct Said {
  uv_write_t request;
  std::string bytes;
};

}  // namespace

Peer::Peer(uv_stream_t* stream) : stream_(stream) {
  stream_->data = this;
  read_on();
}

Peer::~Peer() {
  if (stream_ != nullptr) uv_close(as_handle(stream_), free_stream);
}

void Peer::say(std::string_view bytes) {
  if (stream_ == nullptr) return;
  auto* said = new Said{{}, std::string(bytes)};
  said->request.data = said;
  uv_buf_t buffer = uv_buf_init(said->bytes.data(), static_cast<unsigned>(said->bytes.size()));
  must(uv_write(&said->request, stream_, &buffer, 1,
                [](uv_write_t* request, int) { delete static_cast<Said*>(request->data); }));
}

void Peer::say_now(std::string_view bytes) {
  uv_buf_t buffer =
      uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  if (uv_try_write(stream_, &buffer, 1) != static_cast<int>(bytes.size())) std::abort();
}

void Peer::stop_reading() {
  uv_read_stop(stream_);
}

void Peer::read_on() {
  uv_read_start(
      stream_,
      [](uv_handle_t*, size_t, uv_buf_t* into) {
        static thread_local char buffer[64 * 1024];
        *into = uv_buf_init(buffer, sizeof buffer);
      },
      [](uv_stream_t* stream, ssize_t n, const uv_buf_t* from) {
        Peer& peer = *static_cast<Peer*>(stream->data);
        if (n < 0) {
          peer.ended = true;
          uv_read_stop(stream);
          return;
        }
        peer.received.append(from->base, static_cast<size_t>(n));
        if (peer.on_bytes_) peer.on_bytes_(peer);
      });
}

void Peer::hang_up() {
  if (stream_ == nullptr) return;
  auto* request = new uv_shutdown_t;
  uv_stream_t* stream = stream_;
  stream_ = nullptr;
  uv_read_stop(stream);
  stream->data = nullptr;
  int code = uv_shutdown(request, stream, [](uv_shutdown_t* done, int) {
    if (uv_is_closing(as_handle(done->handle)) == 0) uv_close(as_handle(done->handle), free_stream);
    delete done;
  });
  if (code == 0) return;
  delete request;
  uv_close(as_handle(stream), free_stream);
}

void Peer::reset() {
  if (stream_ == nullptr) return;
  must(uv_tcp_close_reset(reinterpret_cast<uv_tcp_t*>(stream_), free_stream));
  stream_ = nullptr;
}

ScriptedServer::ScriptedServer(Loop& loop, const std::string& path)
    : loop_(loop), listener_(new_stream(loop, !path.empty())), is_pipe_(!path.empty()) {
  listener_->data = this;
  if (is_pipe_) {
    must(uv_pipe_bind(reinterpret_cast<uv_pipe_t*>(listener_), path.c_str()));
  } else {
    auto* tcp = reinterpret_cast<uv_tcp_t*>(listener_);
    sockaddr_in address;
    must(uv_ip4_addr("127.0.0.1", 0, &address));
    must(uv_tcp_bind(tcp, reinterpret_cast<sockaddr*>(&address), 0));
    int size = sizeof address;
    must(uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&address), &size));
    port_ = ntohs(address.sin_port);
  }
  must(uv_listen(listener_, 16, [](uv_stream_t* listener, int) {
    static_cast<ScriptedServer*>(listener->data)->accept();
  }));
}

ScriptedServer::~ScriptedServer() {
  uv_close(as_handle(listener_), free_stream);
}

void ScriptedServer::accept() {
  uv_stream_t* stream = new_stream(loop_, is_pipe_);
  must(uv_accept(listener_, stream));
  Peer& peer = peers_.emplace_back(stream);
  peer.on_bytes_ = [this](Peer& from) {
    if (on_bytes) on_bytes(from);
  };
  if (on_connect) on_connect(peer);
}

Peer& ScriptedServer::peer(size_t i) {
  return *std::next(peers_.begin(), static_cast<ptrdiff_t>(i));
}

size_t ScriptedServer::open_connections() const {
  return static_cast<size_t>(std::count_if(
      peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.open() && !peer.ended; }));
}

}  // namespace leat::testing
