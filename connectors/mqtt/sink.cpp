// Publishes each record as one message. Delivered is what the broker has acknowledged.
#include "stage/sink.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "connectors/mqtt/connection_options.h"
#include "connectors/mqtt/options.h"
#include "connectors/mqtt/outbox.h"
#include "loop/handles.h"
#include "net/tls.h"
#include "protocols/mqtt/session.h"
#include "protocols/mqtt/topic.h"

namespace leat {
namespace mqtt {
namespace {

class MqttSink final : public Sink, public SessionListener {
 public:
  MqttSink(SessionConfig config, OutboxConfig outbox, const Options& options)
      : config_(std::move(config)),
        outbox_(outbox),
        tls_options_(options.object("tls")),
        qos_(outbox.qos),
        retain_(outbox.retain),
        most_in_flight_(static_cast<size_t>(options.integer("window"))) {}

  Status open(SinkContext& context) override {
    context_ = &context;
    if (config_.url.tls) {
      auto tls = TlsContext::open(tls_options_, context.pipeline());
      if (!tls) return fail(tls.error());
      tls_ = std::move(*tls);
    }
    std::string& id = config_.connect.client_id;
    if (id.empty()) id = default_client_id(context.agent(), context.pipeline(), "-sink");
    timer_.emplace(context.loop());
    later_.emplace(context.loop());
    session_.emplace(context.loop(), config_, tls_.get(), *this);
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    delivery_ = &delivery;
    done_ = std::move(done);
    if (session_->up()) return start();
    session_->connect();
  }

  void close(std::function<void()> closed) override {
    done_ = nullptr;
    release();
    if (!session_) return closed();  // open() failed
    timer_->stop();
    later_->stop();
    session_->close(std::move(closed));
  }

 private:
  void on_up(const Connack& connack) override {
    bool v5 = session_->version() == Version::k5;
    size_t wanted = most_in_flight_ > 0 ? most_in_flight_ : (v5 ? kWindow5 : kWindow311);
    window_ = std::min<size_t>(wanted, connack.properties.receive_maximum);
    largest_ = connack.properties.maximum_packet_size;
    cannot_.clear();
    if (connack.properties.maximum_qos < qos_)
      cannot_ = "the broker takes QoS " + std::to_string(connack.properties.maximum_qos) +
                " at most (lower \"qos\")";
    if (retain_ && !connack.properties.retain_available)
      cannot_ = "the broker does not retain messages (set \"retain\": false)";
    if (done_) start();
  }

  // Idle, it is connected again for the next delivery.
  void on_down(const Down& down) override {
    timer_->stop();
    if (down.retry_now) return session_->connect();
    outbox_.give_up();
    release();
    if (done_) answer(Answer::retry(down.text));
  }

  Result<bool> on_publish(const Publish&) override {
    return fail(ErrorKind::kData, "a PUBLISH, though nothing is subscribed");
  }
  Status on_suback(const Suback&, PacketType) override { return {}; }
  void on_pause_in_arrival() override { pump(); }
  void on_sent() override { pump(); }

  Result<bool> on_ack(const Ack& ack) override {
    if (outbox_.on_ack(ack, session_->version(), session_->out())) progress();
    return true;
  }

  void start() {
    if (!cannot_.empty()) return answer(Answer::retry(config_.url.shown + ": " + cannot_));
    std::optional<Answer> rejected = outbox_.begin(*delivery_, session_->version(), largest_);
    if (rejected) return answer(std::move(*rejected));
    charged_ = outbox_.bytes();
    context_->budget().charge(charged_);
    sending_ = true;
    progress();
    pump();
  }

  void progress() {
    timer_->start(config_.timeout, [this] {
      session_->drop("no acknowledgement of a message within " + format_duration(config_.timeout));
    });
  }

  void pump() {
    if (!sending_) return;
    if (session_->unsent() < kMostUnsent) {
      bool all = outbox_.all_appended();
      outbox_.append(session_->out(), window_);
      if (qos_ == 0 && !all) progress();
    }
    session_->flush();
    // QoS 0 has no acknowledgement: with the kernel is all that can be known.
    if (!outbox_.done() || (qos_ == 0 && session_->unsent() > 0)) return;
    timer_->stop();
    Answer result = outbox_.finish();
    release();
    answer(std::move(result));
  }

  void release() {
    sending_ = false;
    if (charged_ > 0) context_->budget().release(std::exchange(charged_, 0));
  }

  // From the loop: the engine may close the sink in answer, and the session is at work here.
  void answer(Answer result) {
    later_->start(Milliseconds{0}, [result = std::move(result),
                                    done = std::exchange(done_, nullptr)] { done(result); });
  }

  static constexpr size_t kWindow5 = 100;
  // Of QoS 2, mosquitto takes max_inflight_messages (20) and closes the connection at one more.
  static constexpr size_t kWindow311 = 20;
  // Bytes that may wait for the kernel before more are handed over.
  static constexpr size_t kMostUnsent = 256 * 1024;

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
  const Delivery* delivery_ = nullptr;
  Done done_;             // of the delivery under way
  bool sending_ = false;  // its messages
  size_t charged_ = 0;
  size_t window_ = 0;
  size_t largest_ = 0;
  std::string cannot_;  // why this broker cannot take what the options ask for
};

Result<OutboxConfig> outbox_config(const Options& options) {
  OutboxConfig out;
  Result<Template> topic = Template::parse(options.string("topic"));
  if (!topic) return bad_option(options, "topic", topic.error().message());
  std::string literal = topic->literal();
  if (Status status = check_topic(literal.empty() ? "x" : literal); !status)
    return bad_option(options, "topic", status.error().message());
  out.topic = std::move(*topic);
  if (options.has("payload")) {
    Result<Template> payload = Template::parse(options.string("payload"));
    if (!payload) return bad_option(options, "payload", payload.error().message());
    out.payload = std::move(*payload);
  }
  out.qos = static_cast<uint8_t>(options.integer("qos"));
  out.retain = options.boolean("retain");
  out.message_expiry = static_cast<uint32_t>(options.duration("messageExpiry").count() / 1000);
  out.content_type = options.string("contentType");
  if (out.content_type.size() > kLongestText || !is_utf8(out.content_type))
    return bad_option(options, "contentType", "must be a short text");
  return out;
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  Result<SessionConfig> config = session_config(options);
  if (!config) return fail(config.error());
  Result<OutboxConfig> outbox = outbox_config(options);
  if (!outbox) return fail(outbox.error());
  if (config->connect.version == Version::k311 &&
      (options.has("messageExpiry") || options.has("contentType")))
    return bad_option(options, options.has("contentType") ? "contentType" : "messageExpiry",
                      "needs MQTT 5");
  // Nothing is subscribed and what is under way is published again, so no session is to be kept.
  config->connect.clean_start = true;
  return std::make_unique<MqttSink>(std::move(*config), std::move(*outbox), options);
}

}  // namespace
}  // namespace mqtt

extern const SinkType kMqttSink;
const SinkType kMqttSink{
    .name = "mqtt",
    .help = "Publishes each record as a message to an MQTT broker, on a topic made of its fields.",
    .takes = Takes::kRecords,
    .options = mqtt::kSinkOptions,
    .make = mqtt::make,
};

}  // namespace leat
