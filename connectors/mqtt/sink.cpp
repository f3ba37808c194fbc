// Publishes each record as one message. Delivered is what the broker has acknowledged.
#include "stage/sink.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "connectors/mqtt/connection_options.h"
#include "connectors/mqtt/options.h"
#include "connectors/mqtt/outbox.h"
#include "connectors/mqtt/probe.h"
#include "loop/handles.h"
#include "memory/budget.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "protocols/mqtt/session.h"
#include "protocols/mqtt/topic.h"

namespace leat {
namespace mqtt {
namespace {

// A connection is closed at a message that the broker does not like, and 3.1.1 has no words for
// why. After so many cuts within one delivery the messages go one by one, to find out which it is.
constexpr int kCutsToIsolate = 3;
// Between two connections that isolate one, or that end at a message that is refused, at random up
// to twice that: another client with the same id would otherwise look like a message to blame.
constexpr Milliseconds kIsolationPause{150};
// A broker that is well does not close idle connections.
constexpr int kIdleCutsToTell = 3;
constexpr int64_t kIdleCutsWithinUs = 600'000'000;

// Reasons of DISCONNECT that can be about a message that was sent before it.
bool may_be_about_a_message(uint8_t reason) {
  switch (reason) {
    case kUnspecified:
    case kMalformedPacket:
    case kProtocolError:
    case kImplementationSpecific:
    case kNotAuthorized:
    case kTopicNameInvalid:
    case kPacketTooLarge:
    case kPayloadFormatInvalid:
      return true;
    default:
      return false;
  }
}

class MqttSink final : public Sink, public SessionListener {
 public:
  MqttSink(SessionConfig config, OutboxConfig outbox, const Options& options)
      : config_(std::move(config)),
        outbox_(outbox),
        tls_options_(options.object("tls")),
        qos_(outbox.qos),
        retain_(outbox.retain),
        most_in_flight_(static_cast<size_t>(options.integer("window"))) {
    config_.most_unsent = kMostUnread;
    config_.quick_ack = true;
  }

  Status open(SinkContext& context) override {
    context_ = &context;
    if (Status tls = open_tls(tls_, config_.url.tls, tls_options_, context.pipeline()); !tls)
      return tls;
    std::string& id = config_.connect.client_id;
    if (id.empty()) id = default_client_id(context.agent(), context.pipeline(), "-sink");
    timer_.emplace(context.loop());
    later_.emplace(context.loop());
    isolation_pause_.emplace(context.loop());
    session_.emplace(context.loop(), config_, tls_.get(), *this);
    charge_ = Charge(context.budget());
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    outbox_.add(delivery, std::move(done));
    if (session_->up()) return pump();
    if (!connecting_ && !isolation_pause_->active()) connect();
  }

  void close(std::function<void()> closed) override {
    outbox_.drop_all();
    answers_.clear();
    charge_.set(0);
    if (!session_) return closed();  // open() failed
    timer_->stop();
    later_->stop();
    isolation_pause_->stop();
    session_->close(std::move(closed));
  }

 private:
  void connect() {
    connecting_ = true;
    session_->connect();
  }

  void on_up(const Connack& connack) override {
    connecting_ = false;
    proven_ = false;
    bool v5 = session_->version() == Version::k5;
    size_t wanted = most_in_flight_ > 0 ? most_in_flight_ : (v5 || qos_ < 2 ? kWindow : kWindow311);
    window_ = std::min<size_t>(wanted, connack.properties.receive_maximum);
    outbox_.connected(session_->version(), connack.properties.maximum_packet_size,
                      session_->packet_ids());
    std::string cannot;
    if (connack.properties.maximum_qos < qos_)
      cannot = "the broker takes QoS " + std::to_string(connack.properties.maximum_qos) +
               " at most (lower \"qos\")";
    if (retain_ && !connack.properties.retain_available)
      cannot = "the broker does not retain messages (set \"retain\": false)";
    cannot_ = cannot.empty() ? "" : config_.url.shown + ": " + cannot;
    pump();
  }

  // Idle, it is connected again for the next delivery.
  void on_down(const Down& down) override {
    timer_->stop();
    connecting_ = false;
    if (down.retry_now) return connect();
    const bool refused = outbox_.take_refusal() && down.by_broker;
    if (outbox_.empty()) return refused ? void() : lost_while_idle(down);
    if (refused) {  // and so it is known why
      closes_at_refusals_ = true;
      outbox_.send_again();
      return connect_soon();
    }
    const bool at_a_message = down.by_broker && outbox_.in_flight() > 0 &&
                              (!down.told || may_be_about_a_message(down.reason));
    if (at_a_message && isolating_ && proven_ && outbox_.cut(down.text)) {
      closes_at_messages_ = true;
      return connect_soon();
    }
    if (at_a_message && (++cuts_ >= kCutsToIsolate || down.told)) isolating_ = true;
    // The refusal itself may be lost with the connection.
    give_up(down.text + (closes_at_refusals_ || closes_at_messages_ ? "" : down.hint));
  }

  void connect_soon() {
    auto pause = std::uniform_int_distribution<int64_t>(0, kIsolationPause.count())(random_);
    isolation_pause_->start(kIsolationPause + Milliseconds(pause), [this] { connect(); });
  }

  void lost_while_idle(const Down& down) {
    if (!down.by_broker) return;
    const int64_t now = context_->loop().clock().monotonic_us();
    if (now - first_idle_cut_us_ > kIdleCutsWithinUs) idle_cuts_ = 0;
    if (idle_cuts_++ == 0) first_idle_cut_us_ = now;
    if (!down.told && idle_cuts_ < kIdleCutsToTell) return;
    if (!said_idle_.due(now)) return;
    std::string why = down.told ? ""
                                : "; does another client use the client id " +
                                      json_quoted(session_->config().connect.client_id) + "?";
    log::warn(context_->pipeline(), down.text + ", while nothing was sent" + why);
  }

  // Nothing is subscribed here, but a broker may subscribe a client by itself: what comes is let
  // go.
  Result<bool> on_publish(const Publish& publish) override {
    if (!std::exchange(said_publish_, true))
      log::warn(context_->pipeline(), config_.url.shown +
                                          ": the broker sends messages to this client, which has "
                                          "subscribed to nothing; they are ignored (the first: \"" +
                                          excerpt(publish.topic) + "\")");
    if (publish.qos > 0)
      append_ack(session_->out(), session_->version(),
                 publish.qos == 1 ? PacketType::kPuback : PacketType::kPubrec, publish.id);
    return true;
  }
  Status on_suback(const Suback&, PacketType) override { return {}; }
  void on_pause_in_arrival() override {
    pump();
    count_memory();
  }
  void on_pingresp() override {
    if (!std::exchange(proven_, true) && isolating_) timer_->stop();
  }
  void on_sent() override {
    outbox_.sent();
    if (qos_ == 0) timer_->stop();  // pump() begins anew
    pump();
  }

  Result<bool> on_ack(const Ack& ack) override {
    if (ack.type == PacketType::kPubrel) {
      append_ack(session_->out(), session_->version(), PacketType::kPubcomp, ack.id);
      return true;
    }
    Outbox::Effect effect = outbox_.on_ack(ack, session_->out());
    if (effect != Outbox::Effect::kNone) timer_->stop();  // pump() begins anew
    if (effect == Outbox::Effect::kOdd && !std::exchange(said_odd_, true))
      log::warn(context_->pipeline(),
                config_.url.shown + ": the broker acknowledges QoS " + std::to_string(qos_) +
                    " as if it were QoS " + (qos_ == 2 ? "1" : "2") +
                    "; that is taken for delivered" +
                    (qos_ == 2 ? " (it may come twice; set \"qos\": 1)" : ""));
    return true;
  }

  void await(const char* what) {
    timer_->start(config_.timeout, [this, what] {
      session_->drop(what + std::string(" within ") + format_duration(config_.timeout));
    });
  }

  void pump() {
    if (!session_->up() || outbox_.empty()) return;
    if (!cannot_.empty()) return give_up(cannot_);
    if (isolating_ && !proven_) return prove();
    if (session_->unsent() < kMostUnsent) outbox_.append(session_->out(), isolating_ ? 1 : window_);
    session_->flush();
    while (std::optional<Outbox::Answered> done = outbox_.finished()) {
      if (done->second.outcome != Outcome::kRetry) {
        cuts_ = 0;
        closes_at_refusals_ = false;
        isolating_ = isolating_ && done->second.in_doubt;
      }
      answer(std::move(*done));
    }
    count_memory();
    if (qos_ == 0 ? outbox_.empty() : outbox_.in_flight() == 0) {
      timer_->stop();
    } else if (!timer_->active()) {
      await(qos_ == 0 ? "the broker took nothing" : "no acknowledgement of a message");
    }
  }

  // That the broker is well, before a message is blamed.
  void prove() {
    if (timer_->active()) return;
    session_->ping();
    await("no answer to a ping");
  }

  void give_up(const std::string& why) {
    for (Outbox::Answered& one : outbox_.give_up(why)) answer(std::move(one));
    charge_.set(0);
  }

  void count_memory() { charge_.set(outbox_.footprint() + session_->footprint()); }

  // From the loop: the engine may close the sink in answer, and the session is at work here.
  void answer(Outbox::Answered answered) {
    answers_.push_back(std::move(answered));
    later_->start_next_turn([this] {
      while (!answers_.empty()) {
        Outbox::Answered next = std::move(answers_.front());
        answers_.pop_front();
        next.first(std::move(next.second));
      }
    });
  }

  static constexpr size_t kWindow = 100;
  // Of QoS 2, mosquitto takes max_inflight_messages (20) and closes the connection at one more; of
  // QoS 1 a broker need not keep count.
  static constexpr size_t kWindow311 = 20;
  // Bytes that may wait for the kernel before more are handed over.
  static constexpr size_t kMostUnsent = 256 * 1024;
  // And with the answers to what the broker sends without being asked.
  static constexpr size_t kMostUnread = 1024 * 1024;

  SessionConfig config_;
  Outbox outbox_;
  const Options tls_options_;
  const uint8_t qos_;
  const bool retain_;
  const size_t most_in_flight_;  // 0: not said
  SinkContext* context_ = nullptr;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  std::optional<Session> session_;
  std::optional<Timer> timer_;  // for the broker's acknowledgements
  std::optional<Timer> later_;
  std::optional<Timer> isolation_pause_;
  std::deque<Outbox::Answered> answers_;  // for later_
  bool connecting_ = false;
  Charge charge_;  // messages, and what waits to be sent
  size_t window_ = 0;
  std::string cannot_;               // why this broker cannot take what the options ask for
  int cuts_ = 0;                     // since a delivery was done with
  bool closes_at_refusals_ = false;  // so that connections which soon end are no riddle
  bool closes_at_messages_ = false;  // nor then
  bool isolating_ = false;
  bool proven_ = false;  // isolating: the broker has answered a ping on this connection
  int idle_cuts_ = 0;
  int64_t first_idle_cut_us_ = 0;
  log::OnceAMinute said_idle_;
  bool said_publish_ = false;
  bool said_odd_ = false;
  std::minstd_rand random_{static_cast<std::minstd_rand::result_type>(random_number())};
};

Result<OutboxConfig> outbox_config(const Options& options) {
  OutboxConfig out;
  OptionErrors errors;
  if (Result<Template> topic = Template::parse(options.string("topic"))) {
    std::string literal = topic->literal();
    if (Status status = check_topic(literal.empty() ? "x" : literal); !status)
      errors.add(options, "topic", status.error());
    out.topic = std::move(*topic);
  } else {
    errors.add(options, "topic", topic.error());
  }
  if (options.has("payload")) {
    if (Result<Template> payload = Template::parse(options.string("payload")))
      out.payload = std::move(*payload);
    else
      errors.add(options, "payload", payload.error());
  }
  out.qos = static_cast<uint8_t>(options.integer("qos"));
  out.retain = options.boolean("retain");
  out.message_expiry = static_cast<uint32_t>(options.duration("messageExpiry").count() / 1000);
  out.content_type = options.string("contentType");
  if (out.content_type.size() > kLongestText || !is_utf8(out.content_type))
    errors.add(options, "contentType", "must be a short text");
  if (options.string("version") == "3.1.1")
    for (std::string_view name : {"contentType", "messageExpiry"})
      if (options.has(name)) errors.add(options, name, "needs MQTT 5");
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  OptionErrors errors;
  Result<SessionConfig> config = connector_session(options);
  Result<OutboxConfig> outbox = outbox_config(options);
  (void)errors.good(config);
  (void)errors.good(outbox);
  if (Status status = errors.status(); !status) return fail(status.error());
  // Nothing is subscribed and what is under way is published again, so no session is to be kept.
  config->connect.clean_start = true;
  return std::make_unique<MqttSink>(std::move(*config), std::move(*outbox), options);
}

}  // namespace
}  // namespace mqtt

extern constexpr SinkType kMqttSink{
    .name = "mqtt",
    .help = "Publishes each record as a message to an MQTT broker, on a topic made of its fields.",
    .consumes = Consumes::kRecords,
    .options = mqtt::kSinkOptions,
    .max_in_flight = 2,
    .default_in_flight = 2,
    .keeps_order = true,
    // Each record is a message of its own, so that there is little to collect for.
    .batch = {.linger = Milliseconds{2}},
    .make = mqtt::make,
    .check_files = mqtt::check_files,
#ifdef LEAT_TOOLS
    .probe = mqtt::probe_sink,
#endif
};

}  // namespace leat
