// A libuv socket as a value that closes itself: its memory is freed by its close callback only.
// Others only hand one over, from a Listener to a Stream.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "loop/loop.h"

namespace leat {

// The path of a Unix socket in the 107 bytes that the kernel takes (unix(7)): a longer one is
// reached through its folder, which stays open as long as this lives.
class SocketPath {
 public:
  explicit SocketPath(const std::string& path);
  ~SocketPath();
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;

  const std::string& text() const { return text_; }
  // It is still too long, or its folder cannot be opened.
  bool fits() const;

 private:
  std::string text_;
  int folder_ = -1;
};

class Socket {
 public:
  struct Closer {
    void operator()(Socket* socket) const { socket->close(); }
  };
  using Ptr = std::unique_ptr<Socket, Closer>;

  static Ptr tcp(Loop& loop);
  static Ptr pipe(Loop& loop);

  uv_stream_t* stream() { return &handle_.stream; }
  uv_tcp_t* as_tcp() { return &handle_.tcp; }
  uv_pipe_t* as_pipe() { return &handle_.pipe; }

 private:
  Socket() = default;
  void close();

  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;
};

}  // namespace leat
