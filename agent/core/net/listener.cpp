#include "net/listener.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace leat {
namespace {

constexpr int kBacklog = 64;  // connections that the kernel keeps until the loop comes to them

}  // namespace

Listener::Listener(Loop& loop, std::string path, Accepted accepted)
    : loop_(loop),
      path_(std::move(path)),
      accepted_(std::move(accepted)),
      socket_(path_.empty() ? Socket::tcp(loop) : Socket::pipe(loop)) {
  socket_->stream()->data = this;
}

Listener::~Listener() {
  if (!path_.empty()) (void)unlink(path_.c_str());
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address,
                                                 Accepted accepted) {
  std::unique_ptr<Listener> made(new Listener(loop, address.path, std::move(accepted)));
  Status bound = address.path.empty() ? made->bind_address(address) : made->bind_path();
  if (!bound) return fail(bound.error());
  Status listening = made->listen("listen on " + address.text());
  if (!listening) return fail(listening.error());
  return made;
}

Status Listener::bind_path() {
  const std::string what = "listen on " + path_;
  name_.emplace(path_);
  if (!name_->fits()) return fail_uv(what, UV_ENAMETOOLONG);  // libuv would cut it short
  (void)unlink(path_.c_str());
  if (int code = uv_pipe_bind(socket_->as_pipe(), name_->text().c_str()); code != 0)
    return fail_uv(what, code);
  if (chmod(path_.c_str(), 0660) != 0) return fail_uv(what, uv_translate_sys_error(errno));
  return {};
}

Status Listener::bind_address(const Address& address) {
  const std::string what = "listen on " + address.text();
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  sockaddr_storage name = {};
  if (uv_ip4_addr(host.c_str(), address.port, reinterpret_cast<sockaddr_in*>(&name)) != 0 &&
      uv_ip6_addr(host.c_str(), address.port, reinterpret_cast<sockaddr_in6*>(&name)) != 0)
    return fail(ErrorKind::kUsage, what + ": \"" + address.host + "\" is not an IP address");
  int code = uv_tcp_bind(socket_->as_tcp(), reinterpret_cast<const sockaddr*>(&name), 0);
  if (code != 0) return fail_uv(what, code);
  return {};
}

Status Listener::listen(const std::string& what) {
  int code = uv_listen(socket_->stream(), kBacklog, [](uv_stream_t* stream, int status) {
    // An error here is a passing one (no descriptor left): libuv tells of the next connection.
    if (status == 0) static_cast<Listener*>(stream->data)->connection();
  });
  if (code != 0) return fail_uv(what, code);
  return {};
}

void Listener::connection() {
  Socket::Ptr socket = path_.empty() ? Socket::tcp(loop_) : Socket::pipe(loop_);
  if (uv_accept(socket_->stream(), socket->stream()) == 0) accepted_(std::move(socket));
}

uint16_t Listener::port() const {
  sockaddr_storage name = {};
  int size = sizeof name;
  if (!path_.empty() ||
      uv_tcp_getsockname(socket_->as_tcp(), reinterpret_cast<sockaddr*>(&name), &size) != 0)
    return 0;
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                          : reinterpret_cast<sockaddr_in&>(name).sin_port);
}

}  // namespace leat
