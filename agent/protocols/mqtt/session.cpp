#include "protocols/mqtt/session.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "protocols/mqtt/reason.h"

namespace leat::mqtt {
namespace {

// A connection that is lost so soon after it was accepted was most likely taken over.
constexpr Milliseconds kBrief{5'000};
// A buffer larger than this is given back once it is empty.
constexpr size_t kKeptBuffer = 64 * 1024;
// How long the last packets may take to leave.
constexpr Milliseconds kGoodbye{2'000};

}  // namespace

Session::Session(Loop& loop, SessionConfig config, TlsContext* tls, SessionListener& listener)
    : loop_(loop),
      config_(std::move(config)),
      tls_(tls),
      listener_(listener),
      framer_(config_.largest_packet, [this](const Frame& frame) { return take(frame); }),
      timer_(loop) {}

Session::~Session() = default;

void Session::connect() {
  disconnected();
  broker_said_.clear();
  said_reason_ = 0;
  retry_now_ = false;
  stream_ = std::make_unique<Stream>(loop_, *this);
  if (config_.quick_ack) stream_->confirm_at_once();
  stream_->connect(config_.url.address, config_.connect_timeout, tls_);
}

// Forgets all about the connection.
void Session::disconnected() {
  up_ = false;
  paused_ = choked_ = false;
  pinged_.reset();
  timer_.stop();
  stream_.reset();
  framer_.reset();
  std::string().swap(out_);
  std::string().swap(sending_);
}

void Session::down(std::string text, bool by_broker) {
  Down down{.text = config_.url.shown + ": " + std::move(text),
            .hint = {},
            .was_up = up_,
            .brief = up_ && loop_.now() - up_since_ < kBrief,
            .again = was_brief_,
            .retry_now = std::exchange(retry_now_, false),
            .told = !broker_said_.empty(),
            .reason = said_reason_,
            .by_broker = up_ && by_broker};
  // 3.1.1 has no way to say that a session was taken over, and not every broker of 5 says it.
  if (down.brief && down.again && !down.told)
    down.hint =
        "; that happens again and again right after connecting: does another client use the "
        "client id " +
        json_quoted(config_.connect.client_id) + "?";
  if (up_) was_brief_ = down.brief;
  disconnected();
  listener_.on_down(down);
}

void Session::drop(const std::string& why, uint8_t reason) {
  if (up_ && config_.connect.version == Version::k5) {
    append_disconnect(out_, Version::k5, reason);
    flush();  // what the kernel does not take at once is lost with the connection
  }
  down(why);
}

// --- sending ------------------------------------------------------------------------------------

void Session::flush() {
  if (out_.empty() || !sending_.empty() || !stream_) return;
  sending_.swap(out_);
  last_sent_ = loop_.now();
  uv_buf_t buffer = uv_buf_init(sending_.data(), static_cast<unsigned>(sending_.size()));
  stream_->write({&buffer, 1}, [this] {
    sending_.clear();
    if (sending_.capacity() > kKeptBuffer) std::string().swap(sending_);
    const bool more = !out_.empty();
    if (more) flush();
    if (choked_ && unsent() <= config_.most_unsent) {
      choked_ = false;
      update_reading();
    }
    if (!more && up_ && !closing_) listener_.on_sent();
  });
}

void Session::ping() {
  append_pingreq(out_);
  pinged_.reset();
  if (!paused_) pinged_ = loop_.now();
  flush();
}

void Session::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  if (!up_) return end_closing();
  append_disconnect(out_, config_.connect.version, kSuccess);
  flush();
  // A socket that is closed while bytes of the peer wait in it is reset, and what was sent last may
  // be lost. So the broker closes first, as it does after DISCONNECT [MQTT-3.1.1 §3.14.4].
  stream_->resume();
  timer_.start(kGoodbye, [this] { end_closing(); });
}

void Session::end_closing() {
  disconnected();
  timer_.start_next_turn(std::exchange(closed_, nullptr));
}

// --- the connection -----------------------------------------------------------------------------

void Session::on_connected(Status status) {
  if (!status) return down(status.error().message());
  append_connect(out_, config_.connect);
  flush();
  timer_.start(config_.timeout,
               [this] { down("no answer to CONNECT within " + format_duration(config_.timeout)); });
}

void Session::on_closed(Status status) {
  if (closing_) return end_closing();
  std::string text;
  if (!broker_said_.empty()) {
    text = broker_said_;
  } else if (up_) {
    text = "the connection was closed by the broker";
    if (!status) text = "the connection is lost (" + status.error().message() + ")";
  } else {
    text = "the connection was closed without an answer to CONNECT";
    if (!status) text += " (" + status.error().message() + ")";
    if (config_.connect.version == Version::k5)
      text += "; a broker that speaks only 3.1.1 needs \"version\": \"3.1.1\"";
    if (!config_.url.tls) text += "; a TLS port needs mqtts://";
  }
  down(std::move(text), true);
}

void Session::on_data(std::span<const char> bytes) {
  if (closing_) return;
  last_received_ = loop_.now();
  // What a TLS server says to a client that speaks in clear: an alert (RFC 5246 section 6.2.1).
  if (!up_ && bytes.size() > 1 && bytes[0] == 0x15 && bytes[1] == 0x03)
    return down("the server answered with TLS: mqtts:// is needed");
  arrived(framer_.feed({bytes.data(), bytes.size()}));
}

void Session::arrived(const Status& status) {
  if (up_) listener_.on_pause_in_arrival();
  if (status) {
    if (framer_.holding()) pause();
    flush();
    choked_ = up_ && unsent() > config_.most_unsent;
    return update_reading();
  }
  if (!up_ || !broker_said_.empty()) return down(status.error().message(), true);
  drop("the broker sent " + status.error().message() + "; the connection is closed",
       kMalformedPacket);
}

Result<bool> Session::take(const Frame& frame) {
  // The length in as few bytes as it takes [MQTT-1.5.5-1]; 3.1.1 does not ask for that.
  const size_t header = frame.size - frame.body.size();
  if (config_.connect.version == Version::k5 && !frame.cut && header > 2 &&
      frame.body.size() >> (7 * (header - 2)) == 0)
    return fail(ErrorKind::kData, "a packet whose length is written in too many bytes");
  if (!up_) return take_connack(frame);
  const Version version = config_.connect.version;
  switch (frame.type) {
    case PacketType::kPublish: {
      Result<Publish> publish = read_publish(frame, version);
      if (!publish) return fail(publish.error());
      return listener_.on_publish(*publish);
    }
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp: {
      Result<Ack> ack = read_ack(frame, version);
      if (!ack) return fail(ack.error());
      return listener_.on_ack(*ack);
    }
    case PacketType::kSuback:
    case PacketType::kUnsuback: {
      Result<Suback> suback = read_suback(frame, version);
      if (!suback) return fail(suback.error());
      if (Status status = listener_.on_suback(*suback, frame.type); !status)
        return fail(status.error());
      return true;
    }
    case PacketType::kPingresp:
      if (Status status = check_pingresp(frame); !status) return fail(status.error());
      // Nobody needs to wake up to see whether it has come.
      if (std::exchange(pinged_, std::nullopt) && keep_alive_.count() > 0) keep_alive();
      listener_.on_pingresp();
      return true;
    case PacketType::kDisconnect: {
      if (version != Version::k5) break;
      Result<Disconnect> disconnect = read_disconnect(frame, version);
      if (!disconnect) return fail(disconnect.error());
      said_reason_ = disconnect->reason;
      broker_said_ = "the broker ended the connection: " + reason_text(disconnect->reason);
      if (disconnect->reason == kSessionTakenOver)
        broker_said_ += " (another client uses the client id \"" + config_.connect.client_id +
                        "\": give each its own \"clientId\")";
      broker_said_ += broker_words(disconnect->properties.reason);
      return fail(ErrorKind::kData, broker_said_);  // nothing follows [MQTT5 §3.14.4]
    }
    default:
      break;
  }
  return fail(ErrorKind::kData, "a packet of type " + std::to_string(static_cast<int>(frame.type)) +
                                    ", which a broker must not send");
}

Result<bool> Session::take_connack(const Frame& frame) {
  if (frame.type != PacketType::kConnack)
    return fail(ErrorKind::kData,
                "the server did not answer CONNECT with CONNACK: is it an MQTT broker?");
  Result<Connack> connack = read_connack(frame, config_.connect.version);
  if (!connack) return fail(ErrorKind::kData, "the broker sent " + connack.error().message());
  // [MQTT-3.2.2-1] of 3.1.1, [MQTT-3.2.2-2] of 5
  if (connack->session_present && config_.connect.clean_start)
    return fail(ErrorKind::kData,
                "the broker speaks of a session, though a clean one was asked for");
  if (connack->reason != 0) {
    uint8_t reason =
        connack->reason < 0x80 ? reason_of_return_code(connack->reason) : connack->reason;
    if (reason == kUnsupportedVersion && config_.fall_back &&
        config_.connect.version == Version::k5) {
      config_.connect.version = Version::k311;
      retry_now_ = true;
    }
    std::string text = "the broker refuses the connection: " + reason_text(reason);
    text += connect_hint(reason);
    text += broker_words(connack->properties.reason);
    if (!connack->properties.server_reference.empty())
      text += "; it points to " + excerpt(connack->properties.server_reference);
    return fail(ErrorKind::kData, text);
  }
  const Properties& properties = connack->properties;
  if (!properties.assigned_client_id.empty())
    config_.connect.client_id = properties.assigned_client_id;
  keep_alive_ = std::chrono::seconds(
      properties.server_keep_alive.value_or(config_.connect.keep_alive));  // [MQTT-3.2.2-21]
  packet_ids_.give_back_all();
  up_ = true;
  up_since_ = loop_.now();
  start_keep_alive();
  listener_.on_up(*connack);
  return true;
}

// --- reading and waiting ------------------------------------------------------------------------

void Session::pause() {
  if (!up_) return;
  paused_ = true;
  pinged_.reset();
  update_reading();
}

void Session::resume() {
  if (!up_ || !paused_) return;
  paused_ = false;
  if (framer_.holding()) arrived(framer_.go_on());
  update_reading();
}

void Session::update_reading() {
  if (!stream_) return;
  if (paused_ || choked_) {
    stream_->pause();
  } else {
    stream_->resume();
  }
}

// The client must send something within the keep-alive time, or the broker closes after one and a
// half of it [MQTT-3.1.2-20, -22]; three quarters leave time for a slow network. A ping also goes
// out when nothing came for so long, since a lost broker says nothing.
void Session::start_keep_alive() {
  if (keep_alive_.count() == 0) return timer_.stop();
  timer_.start(keep_alive_ * 3 / 4, [this] { keep_alive(); });
}

void Session::keep_alive() {
  const Milliseconds period = keep_alive_ * 3 / 4;
  const Milliseconds now = loop_.now();
  if (pinged_ && last_received_ < *pinged_)
    return drop((choked_ ? "the broker does not read: it has taken nothing for "
                         : "the broker does not answer: nothing came for ") +
                    format_duration(now - last_received_),
                kSuccess);
  pinged_.reset();
  Milliseconds quiet = now - (paused_ ? last_sent_ : std::min(last_sent_, last_received_));
  auto again = [this] { keep_alive(); };
  if (quiet + Milliseconds{1} < period) return timer_.start(period - quiet, again);
  ping();
  last_sent_ = now;
  timer_.start(paused_ ? period : std::min(config_.timeout, period), again);
}

}  // namespace leat::mqtt
