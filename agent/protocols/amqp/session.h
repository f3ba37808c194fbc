// A connection to an AMQP 0-9-1 broker with one channel: the handshake, heartbeats, framing, the
// end. What is declared, consumed, published and acknowledged is the listener's business
// (connectors/amqp).
//
// One channel is enough: an error closes it, and with it all that is under way [AMQP §1.1], so it
// is then made anew together with its connection, as after any other loss.
//
// Thread: the loop's thread. Lifetime: connect() → on_up() → on_down(), or connect() → on_down(),
// and again as often as wanted. It may be destroyed at any time but from inside its own callbacks;
// no callback comes after that.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "loop/handles.h"
#include "net/stream.h"
#include "net/tls.h"
#include "protocols/amqp/codec.h"
#include "protocols/amqp/framer.h"
#include "protocols/amqp/incoming.h"
#include "protocols/amqp/url.h"

namespace leat::amqp {

inline constexpr uint16_t kChannel = 1;

struct SessionConfig {
  std::vector<Url> urls;  // of one broker's nodes; not empty
  std::string vhost = "/";
  std::string user;
  std::string password;
  bool external = false;  // the broker knows who it is by the client certificate (SASL EXTERNAL)
  std::string name;       // of the connection, for the broker's lists
  bool confirms = false;  // the broker confirms what is published
  Milliseconds heartbeat{60'000};        // 0: none, unless the broker wants them
  Milliseconds connect_timeout{10'000};  // resolving, connecting, TLS
  Milliseconds timeout{30'000};          // for the handshake after that
  size_t largest_message = 1 << 20;      // see Message::cut
  // Bytes that may wait for a broker that does not read. Above it the broker is not read from
  // either.
  size_t most_unsent = 64 * 1024;
  bool quick_ack = false;  // as of Stream::confirm_at_once
};

// Why there is no connection.
struct Down {
  std::string text;         // "amqp://broker:5672: 403 ACCESS_REFUSED - …"
  bool was_up = false;      // the channel had been open
  uint16_t code = 0;        // of the broker, when it said one
  bool on_channel = false;  // it closed the channel: what it says is about something that was asked
  uint32_t method = 0;      // about which method, where it says
};

class SessionListener {
 public:
  virtual ~SessionListener() = default;

  // The channel is open.
  virtual void on_up() = 0;
  // It was not made, or is lost. What was sent and not confirmed may or may not have arrived.
  virtual void on_down(const Down& down) = 0;
  // An answer to what was asked (queue.declare-ok, …). An error ends the connection.
  virtual Status on_reply(const Method& method) = 0;
  // False: not now; the session stops reading until resume(). An error ends the connection.
  virtual Result<bool> on_message(const Message& message) = 0;
  // basic.ack and, when not `good`, basic.nack of what was published.
  virtual Status on_confirm(uint64_t tag, bool multiple, bool good) = 0;
  // The broker has taken the consumer away: its queue is gone, or has moved.
  virtual Status on_cancel() = 0;
  // The broker takes nothing that is published for now; `why` is in its words.
  virtual void on_blocked(std::string_view why) = 0;
  virtual void on_unblocked() = 0;
  // All that has arrived so far was handed on.
  virtual void on_pause_in_arrival() = 0;
  // What was appended to out() before the last flush() is with the kernel.
  virtual void on_sent() = 0;
};

class Session final : public StreamListener {
 public:
  // `tls` (null: none) and `listener` outlive the session.
  Session(Loop& loop, SessionConfig config, TlsContext* tls, SessionListener& listener);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Tries each of the URLs once, beginning with the one that was connected to last, or behind it
  // when that connection was lost.
  void connect();
  bool up() const { return state_ == State::kUp; }
  const SessionConfig& config() const { return config_; }
  // Of the connection.
  const Url& url() const { return config_.urls[at_]; }
  const std::string& broker() const {
    return broker_;
  }  // "RabbitMQ 3.10.8", "" when it did not say
  size_t largest_frame() const { return largest_frame_; }

  // Frames to send are appended to out(), and go out together with flush(). Only while up.
  std::string& out() { return out_; }
  void flush();
  // Bytes that wait to be taken by the kernel.
  size_t unsent() const { return out_.size() + sending_.size(); }
  // Bytes kept for the connection.
  size_t footprint() const {
    return out_.capacity() + sending_.capacity() + framer_.footprint() + incoming_.footprint();
  }

  // Stops and goes on reading; heartbeats go out all the same. resume() offers the message that was
  // not taken again, so it calls the listener, which may be told on_down() from inside it.
  void pause();
  void resume();

  // Ends the connection because of what the broker did, or did not do. on_down() follows at once.
  // Not from inside a callback that can return an error.
  void drop(const std::string& why);
  // Says connection.close and ends; on_down() does not come. `closed` comes from the loop.
  void close(std::function<void()> closed);

 private:
  enum class State { kDown, kConnecting, kStart, kTune, kOpen, kChannelOpen, kConfirms, kUp };

  void on_connected(Status status) override;
  void on_data(std::span<const char> bytes) override;
  void on_closed(Status status) override;

  void dial();
  Result<bool> take(const Frame& frame);
  Result<bool> take_method(const Frame& frame);
  Status connection_method(const Method& method);
  Result<bool> channel_method(const Method& method);
  Status start(const amqp_connection_start_t& start);
  Status tune(const amqp_connection_tune_t& tune);
  void opened();
  void send(uint16_t channel, uint32_t id, const void* arguments);
  void say_close(uint16_t code, const std::string& why);
  Status closed_by_broker(const Method& method);
  void arrived(const Status& status);
  void failed(std::string text);
  void disconnected();
  void end_closing();
  void update_reading();
  void beat();

  Loop& loop_;
  const SessionConfig config_;
  TlsContext* const tls_;
  SessionListener& listener_;
  Framer framer_;
  Incoming incoming_;
  Pool pool_;
  std::unique_ptr<Stream> stream_;
  Timer timer_;  // the handshake; after that, heartbeats
  std::string out_;
  std::string sending_;
  State state_ = State::kDown;
  size_t at_ = 0;         // in config_.urls
  size_t tried_ = 0;      // of them, since connect()
  std::string failures_;  // of those
  bool closing_ = false;
  std::function<void()> closed_;  // once closing_
  bool ended_ = false;            // the broker has said goodbye, or cannot
  Down said_;                     // by the broker, that it closes
  std::string broker_;
  size_t largest_frame_ = kLeastFrame;
  Milliseconds heartbeat_{0};
  Milliseconds last_sent_{0};
  Milliseconds last_received_{0};
  bool paused_ = false;  // by the listener
  bool choked_ = false;  // more than most_unsent waits
};

}  // namespace leat::amqp
