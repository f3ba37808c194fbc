// What a Stream is made of: stream.cpp moves bytes, stream_tls.cpp moves them through TLS. Internal
// to net/.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <vector>

#include "loop/handles.h"
#include "net/dialer.h"
#include "net/meter.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/tls_session.h"

namespace leat {

// Libuv's callbacks hold it alive while they run, so that a listener may
// destroy the Stream from inside any of them; after that `phase_` is kClosed and nobody is called.
class Stream::State final : public std::enable_shared_from_this<State>, public TlsTransport {
 public:
  State(Loop& loop, StreamListener& listener) : loop_(loop), listener_(listener) {}

  void connect(const Address& address, Milliseconds timeout, TlsContext* tls);
  void accept(Socket::Ptr socket);
  void start_tls(TlsContext& tls, const std::string& host, Milliseconds timeout);
  void write(std::span<const uv_buf_t> buffers, Done done);
  void pause();
  void resume();
  void shut();
  bool all_sent() const;
  void confirm_at_once() { confirms_at_once_ = true; }
  std::string server_end_point() const { return tls_ ? tls_->server_end_point() : ""; }

  int send(std::span<const unsigned char> bytes) override;
  int receive(std::span<unsigned char> into) override;

 private:
  static constexpr size_t kReadBufferSize = 16 * 1024;

  enum class Phase { kIdle, kConnecting, kHandshaking, kOpen, kClosed };

  // One uv_write. It owns the ciphertext it sends, and outlives the State if need be.
  struct Write {
    uv_write_t request;
    std::weak_ptr<State> state;
    Done done;
    std::string cipher;
  };
  // Plaintext that waits to be encrypted.
  struct Outgoing {
    std::vector<uv_buf_t> buffers;
    size_t first = 0;  // buffers before it are encrypted
    Done done;
  };

  void connected(Result<Socket::Ptr> socket);
  void take(Socket::Ptr socket);
  void opened();
  void end(Status status);
  void write_failed(Status status);
  void later(std::function<void()> call);
  void fail_later(Error error);
  void submit(std::unique_ptr<Write> write, std::span<const uv_buf_t> buffers);

  void update_reading();
  void on_read(ssize_t n);
  void confirm();
  void pump();
  bool pump_handshake();
  void end_handshake(const Error& error);
  bool pump_reads();
  void pump_writes();
  std::span<const char> next_plaintext();
  void took_plaintext(size_t bytes);
  void flush();
  void flushed();

  Loop& loop_;
  StreamListener& listener_;
  Phase phase_ = Phase::kIdle;
  std::string name_;
  std::string host_;
  TlsContext* tls_context_ = nullptr;
  Milliseconds timeout_{0};
  Milliseconds connect_began_{0};

  std::optional<Dialer> dialer_;
  std::optional<Timer> deadline_;  // of the handshake; after that, for last words
  std::optional<Timer> later_;
  Socket::Ptr socket_;
  Meter::Seen metered_;
  bool paused_ = false;
  bool reading_ = false;
  bool confirms_at_once_ = false;
  bool failing_ = false;  // fail_later() is under way: nothing may replace it
  std::optional<Error> write_error_;
  std::array<char, kReadBufferSize> read_buffer_;

  // TLS only.
  std::unique_ptr<TlsSession> tls_;
  std::vector<char> plain_;       // decrypted bytes on their way to the listener
  std::span<const char> unread_;  // ciphertext in read_buffer_ not yet taken by tls_
  std::deque<Outgoing> outgoing_;
  std::vector<char> gathered_;  // small buffers that make one record
  std::string cipher_;          // ciphertext to be flushed
  bool flushing_ = false;       // one uv_write of ciphertext at a time
  std::vector<Done> done_when_flushed_;
};

}  // namespace leat
