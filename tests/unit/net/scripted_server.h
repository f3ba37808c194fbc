// A server that does what a test says, on the test's own loop: TCP on 127.0.0.1, or a Unix socket.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "loop/loop.h"

namespace leat::testing {

// One accepted connection.
class Peer {
 public:
  explicit Peer(uv_stream_t* stream);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::string received;  // what has arrived; scripts may take from it
  bool ended = false;    // the other side closed or reset

  void say(std::string_view bytes);
  void say_now(std::string_view bytes);  // without waiting for the loop
  void stop_reading();
  void read_on();
  // In order: behind what was said.
  void hang_up();
  // At once, with a reset.
  void reset();
  bool open() const { return stream_ != nullptr; }
  // Of what was said, the bytes that the kernel does not take: the other side does not read.
  size_t unsaid() const { return stream_ == nullptr ? 0 : uv_stream_get_write_queue_size(stream_); }

 private:
  friend class ScriptedServer;
  uv_stream_t* stream_;
  std::function<void(Peer&)> on_bytes_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;

  // `path`: of a Unix socket; TCP on a free port when empty.
  explicit ScriptedServer(Loop& loop, const std::string& path = "");
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  Script on_connect;
  Script on_bytes;  // after each piece that was appended to Peer::received

  uint16_t port() const { return port_; }
  size_t connections() const { return peers_.size(); }  // in all
  Peer& peer(size_t i);
  size_t open_connections() const;

 private:
  void accept();

  Loop& loop_;
  uv_stream_t* listener_;
  bool is_pipe_;
  uint16_t port_ = 0;
  std::list<Peer> peers_;
};

}  // namespace leat::testing
