// A byte stream to a peer: TCP or a Unix socket, in clear or under TLS.
//
// Thread: the loop's thread. All callbacks come from the loop, never from inside a call into the
// Stream. Lifetime: one connection each; it may be destroyed at any time, also from inside its own
// callbacks, and no callback comes after that. The process must ignore SIGPIPE.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/socket.h"
#include "net/tls.h"

namespace leat {

class StreamListener {
 public:
  virtual ~StreamListener() = default;

  // The end of connect(), accept() or start_tls(). After an error the Stream is closed.
  virtual void on_connected(Status status) = 0;
  // Valid during the call only.
  virtual void on_data(std::span<const char> bytes) = 0;
  // The connection has ended: ok when the peer closed it in order. Once, after on_connected(ok);
  // the writes under way are given up, and their `done` is not called.
  virtual void on_closed(Status status) = 0;
};

class Stream {
 public:
  using Done = std::function<void()>;

  Stream(Loop& loop, StreamListener& listener);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Resolves the name and tries its addresses in turn, then makes the TLS handshake when `tls` is
  // not null (it must outlive the Stream). `timeout` is for all of it: each address gets an equal
  // share of what is left.
  void connect(const Address& address, Milliseconds timeout, TlsContext* tls = nullptr);

  // Takes over a connection that a Listener has accepted; ends in on_connected().
  void accept(Socket::Ptr socket);

  // Goes over to TLS on an open connection (as PostgreSQL does), or makes the server's half of a
  // handshake when `tls` is a server's; ends in on_connected() again.
  // Bytes that came in clear together with the peer's consent are not from the peer that TLS
  // proves: the caller must refuse them.
  void start_tls(TlsContext& tls, const std::string& host, Milliseconds timeout);

  // Sends `buffers` in order. The bytes stay the caller's and unchanged until `done` is called:
  // they are then with the kernel. In clear nothing is copied; under TLS they are encrypted as fast
  // as the peer takes them. After destruction they are not looked at any more. Only while open.
  void write(std::span<const uv_buf_t> buffers, Done done);

  // What arrives is confirmed to the peer's kernel as soon as it was read, not up to 40 ms later:
  // for peers that answer in small pieces and wait for that before the next. It costs a system call
  // for each read. Before connect().
  void confirm_at_once();

  // True when nothing of what was written waits any more: the bytes are with the kernel, even if
  // `done` is still to come. A quick peer can answer before it comes.
  bool all_sent() const;

  // Back-pressure: no on_data() until resume(). The peer is slowed down by TCP.
  void pause();
  void resume();

  // Channel binding of the TLS connection (RFC 5929, tls-server-end-point), "" in clear.
  std::string server_end_point() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace leat
