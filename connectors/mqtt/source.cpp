// Subscribes to topics. Acknowledges a message when the engine has delivered it or made it durable;
// see PROTOCOL.md for what that means with each QoS.
#include "stage/source.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/lifetime.h"
#include "base/log.h"
#include "base/text.h"
#include "connectors/mqtt/connection_options.h"
#include "connectors/mqtt/field_maker.h"
#include "connectors/mqtt/in_flight_limit.h"
#include "connectors/mqtt/options.h"
#include "connectors/mqtt/probe.h"
#include "memory/budget.h"
#include "net/reconnect.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "protocols/mqtt/completions.h"
#include "protocols/mqtt/inbox.h"
#include "protocols/mqtt/session.h"
#include "protocols/mqtt/subscriptions.h"
#include "protocols/mqtt/topic.h"

namespace leat {
namespace mqtt {
namespace {

constexpr Milliseconds kSaveAgain{1'000};

// Where nothing is said: of so many bytes of the pipeline's memory, one message may wait for its
// acknowledgement. What is beyond the window waits in the broker's queue, which is often short;
// what has come, and has no room in memory, waits in the connection.
constexpr size_t kMemoryForOne = 256;
constexpr size_t kLeastWindow = 1'000;
constexpr size_t kMostWindow = 32'767;
// Fewer may be large ones, of which the memory holds few; none is dropped for that.
constexpr size_t kManyWaiting = 1'000;
constexpr Milliseconds kMemoryPatience{100};

// Nothing that a text format could make a record of: spaces and line ends, of one byte or of two.
bool is_blank(std::string_view payload) {
  return payload.find_first_not_of(std::string_view(" \t\r\n\0", 5)) == std::string_view::npos &&
         payload.find_first_not_of('\0') != std::string_view::npos;
}

class MqttSource final : public Source, public SessionListener {
 public:
  MqttSource(SessionConfig config, FieldMaker fields, const Options& options)
      : config_(std::move(config)),
        fields_(std::move(fields)),
        tls_options_(options.object("tls")),
        topics_(options.strings("topics")),
        qos_(static_cast<uint8_t>(options.integer("qos"))),
        keeps_session_(!options.boolean("cleanSession")),
        receive_maximum_(static_cast<size_t>(options.integer("receiveMaximum"))) {}  // 0: not said

  Status open(SourceContext& context) override;
  void resume() override {
    if (!draining_ && !stopping_) session_->resume();
  }
  bool drain() override;
  void stop(std::function<void()> closed) override;
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  std::string describe(const Position& position) override;
  std::string metadata_of(const Position& position) override;

 private:
  void on_up(const Connack& connack) override;
  void on_down(const Down& down) override;
  Result<bool> on_publish(const Publish& publish) override;
  Result<bool> on_ack(const Ack& ack) override;
  Status on_suback(const Suback& suback, PacketType type) override {
    return subscriptions_->on_suback(suback, type);
  }
  void on_pause_in_arrival() override;
  void on_sent() override {}

  void restore();
  void session_began(const Connack& connack);
  void forget_then(std::function<void()> next);
  void save_ids(std::function<void(bool saved)> done);
  void save_released();
  bool begin_batch();
  void reject(const Publish& publish, const std::string& why);
  void send_acks();
  void tell_window();
  void count_memory() {
    charge_.set(session_->footprint() + inbox_.footprint() + completions_->footprint());
  }

  SessionConfig config_;
  FieldMaker fields_;
  const Options tls_options_;
  const std::vector<std::string> topics_;
  const uint8_t qos_;
  const bool keeps_session_;
  size_t receive_maximum_;

  SourceContext* context_ = nullptr;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  std::optional<Session> session_;
  std::optional<Reconnect> reconnect_;
  std::optional<Subscriptions> subscriptions_;
  std::optional<Timer> save_again_;
  Inbox inbox_;
  Charge charge_;  // what waits for its acknowledgement, and what waits to be sent
  std::optional<Completions> completions_;
  std::vector<std::string_view> filters_;  // scratch
  BatchRef batch_;
  uint32_t batch_messages_ = 0;
  std::optional<InFlightLimit> window_;
  bool in_flight_full_ = false;
  bool starved_ = false;  // there is no memory for what comes
  bool had_session_ = false;
  bool saving_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  std::string partition_;  // of saved_position(); "" when nothing is saved
  std::string topics_partition_;
  Lifetime lifetime_;
};

// --- start and end ------------------------------------------------------------------------------

Status MqttSource::open(SourceContext& context) {
  context_ = &context;
  if (Status tls = open_tls(tls_, config_.url.tls, tls_options_, context.pipeline()); !tls)
    return tls;
  std::string& id = config_.connect.client_id;
  if (id.empty()) id = default_client_id(context.agent(), context.pipeline(), "");
  const std::string who = id + " at " + config_.url.shown;
  const bool once = qos_ == 2 && keeps_session_ && context.exactly_once();
  if (once) partition_ = "qos2 " + who;
  topics_partition_ = "topics " + who;
  completions_.emplace(once);
  charge_ = Charge(context.budget());
  if (receive_maximum_ == 0)
    receive_maximum_ =
        std::clamp(context.budget().limit() / kMemoryForOne, kLeastWindow, kMostWindow);
  config_.connect.receive_maximum = static_cast<uint16_t>(receive_maximum_);
  session_.emplace(context.loop(), config_, tls_.get(), *this);
  reconnect_.emplace(context.loop(), context.pipeline(), [this] { session_->connect(); });
  subscriptions_.emplace(
      context.loop(), *session_, context.pipeline(), topics_,
      Subscriptions::Wanted{.qos = qos_,
                            .retain_as_published = fields_.wants(FieldMaker::Extra::kRetain),
                            .identifiers = fields_.wants(FieldMaker::Extra::kSubscriptions)},
      [this](std::string text) {
        // Without it, an old subscription stays: no reason to stop.
        if (keeps_session_)
          context_->save({topics_partition_, std::move(text)}, [](const Status&) {});
      });
  save_again_.emplace(context.loop());
  window_.emplace(
      context.loop(), receive_maximum_, [this] { tell_window(); },
      [this](size_t window) {
        log::warn(
            context_->pipeline(),
            config_.url.shown + ": the broker holds messages back while " + std::to_string(window) +
                " wait for their acknowledgement (mosquitto: max_inflight_messages); what its "
                "queue cannot hold then it drops without a word (mosquitto: "
                "max_queued_messages)" +
                (session_->version() == Version::k5 ? ": raise both there"
                                                    : ": raise both there, or use MQTT 5"));
      });
  restore();
  session_->connect();
  return {};
}

void MqttSource::restore() {
  for (const SavedPosition& saved : context_->saved()) {
    if (saved.partition == partition_ && !partition_.empty()) inbox_.restore(saved.value);
    if (saved.partition == topics_partition_) subscriptions_->restore(saved.value);
  }
  had_session_ = keeps_session_ && subscriptions_->any_before();
}

bool MqttSource::drain() {
  draining_ = true;
  reconnect_->stop();
  session_->pause();
  return session_->up() && qos_ > 0;
}

void MqttSource::stop(std::function<void()> closed) {
  stopping_ = true;
  if (!session_) return closed();  // open() failed
  reconnect_->stop();
  subscriptions_->stop();
  save_again_->stop();
  window_->forget();
  session_->close(std::move(closed));
}

// --- the connection -----------------------------------------------------------------------------

void MqttSource::on_up(const Connack& connack) {
  std::string version = session_->version() == Version::k5 ? "5" : "3.1.1";
  reconnect_->connected("connected to " + config_.url.shown + " as " +  // logged: info
                        json_quoted(session_->config().connect.client_id) + " (MQTT " + version +
                        (connack.session_present ? ", session resumed)" : ")"));
  window_->forget(session_->version() == Version::k5);
  if (connack.session_present) return session_began(connack);
  if (std::exchange(had_session_, false))
    log::warn(context_->pipeline(),
              config_.url.shown +
                  ": the broker has forgotten the session: messages that it had "
                  "accepted for this client may be lost");
  inbox_.session_lost();
  if (partition_.empty()) return session_began(connack);
  // Identifiers of the old session must not be taken for those of the new one after a crash. There
  // are no messages before SUBSCRIBE, so it waits.
  forget_then([this, copy = connack] { session_began(copy); });
}

void MqttSource::session_began(const Connack& connack) {
  had_session_ = keeps_session_;
  subscriptions_->begin(connack);
  session_->flush();
}

void MqttSource::on_down(const Down& down) {
  inbox_.connection_lost();
  completions_->connection_lost();
  const std::string asking = subscriptions_->connection_lost(down.by_broker);
  count_memory();
  batch_.reset();  // nothing is in it: it is emitted at the end of each read
  tell_window();
  if (stopping_ || draining_) return;
  if (down.retry_now) {
    log::info(context_->pipeline(),
              config_.url.shown + ": the broker does not speak MQTT 5; " + "going on with 3.1.1");
    return session_->connect();
  }
  reconnect_->failed(down.text + (asking.empty() ? down.hint : asking));
}

// --- messages -----------------------------------------------------------------------------------

bool MqttSource::begin_batch() {
  if (batch_) return true;
  batch_ = context_->new_batch(Content::kSlices);
  starved_ = !batch_;
  if (!batch_) return false;
  batch_->begin = {.offset = inbox_.offset()};
  batch_->end = batch_->begin;
  batch_->arrival_us = context_->loop().clock().unix_us();
  batch_messages_ = 0;
  fields_.begin_batch();
  return true;
}

Result<bool> MqttSource::on_publish(const Publish& publish) {
  if (draining_) return false;
  if (inbox_.unacknowledged() >= receive_maximum_ && publish.qos > 0) return false;
  Result<bool> seen = inbox_.seen(publish);
  if (!seen) return fail(seen.error());
  if (*seen) return true;
  if (!begin_batch()) return false;
  const uint64_t end = inbox_.add(publish);
  batch_->end.offset = end;
  ++batch_messages_;
  if (publish.cut) {
    reject(publish, "a message of " + format_bytes(static_cast<int64_t>(publish.size)) +
                        ", more than maxPacket");
    return true;
  }
  if (!publish.bad_topic.empty()) {
    // It is a dead letter once: when the broker sends it again, it is known.
    reject(publish, std::string(publish.bad_topic));
    return fail(ErrorKind::kData, "a malformed PUBLISH packet: " + std::string(publish.bad_topic));
  }
  if (!context_->takes_empty() && (publish.payload.empty() || is_blank(publish.payload))) {
    reject(publish, publish.payload.empty() ? "the payload is empty" : "the payload is blank");
    return true;
  }
  if (publish.properties.user_properties > Inbox::kMostUserProperties) {
    reject(publish, "more than " + std::to_string(Inbox::kMostUserProperties) + " user properties");
    return true;
  }
  const auto end_offset = static_cast<uint32_t>(end - batch_->begin.offset);
  std::string_view payload = batch_->arena.copy(publish.payload);
  batch_->slices.push_back(
      {payload.data(), static_cast<uint32_t>(payload.size()), end_offset, batch_messages_});
  if (fields_.any()) {
    filters_.clear();
    subscriptions_->filters_of(publish.properties.subscriptions, filters_);
    fields_.add(*batch_, publish, session_->version(), filters_, end_offset);
  }
  return true;
}

void MqttSource::reject(const Publish& publish, const std::string& why) {
  // Of a packet that is too large or malformed there is no payload.
  const bool whole = !publish.cut && publish.bad_topic.empty();
  batch_->rejected.push_back({batch_->arena.copy(whole ? publish.payload : publish.topic),
                              batch_->arena.copy(why), batch_messages_,
                              static_cast<uint32_t>(batch_->end.offset - batch_->begin.offset)});
}

void MqttSource::on_pause_in_arrival() {
  if (batch_) {
    window_->arrived(batch_messages_, inbox_.unacknowledged());
    context_->emit(std::exchange(batch_, {}));
    context_->progress(inbox_.offset(), std::nullopt);
  }
  send_acks();  // of what was sent again
  tell_window();
  count_memory();
}

Result<bool> MqttSource::on_ack(const Ack& ack) {
  if (ack.type != PacketType::kPubrel) return true;  // leat publishes nothing here
  if (completions_->size() >= receive_maximum_) {
    completions_->append(session_->out(), session_->version());
    // They wait for a commit; a broker has no more of them under way than messages.
    if (completions_->size() >= receive_maximum_) return false;
  }
  completions_->released(ack.id, inbox_.released(ack.id));
  save_released();
  return true;
}

// --- acknowledging ------------------------------------------------------------------------------

void MqttSource::acked(const Position& position) {
  log::debug(context_->pipeline(), [&position] {
    return "acknowledged: messages up to " + std::to_string(position.offset);
  });
  inbox_.acked(position.offset);
  completions_->acked(position.offset);
  count_memory();
  if (stopping_) return;
  send_acks();
  save_released();
  tell_window();
  // It may have been the window that made on_publish() wait.
  if (!draining_) session_->resume();
}

void MqttSource::send_acks() {
  if (!session_->up()) return;
  if (inbox_.append_acks(session_->out(), session_->version())) window_->acknowledged();
  completions_->append(session_->out(), session_->version());
  session_->flush();
}

void MqttSource::tell_window() {
  const size_t waiting = inbox_.unacknowledged();
  const bool no_memory = starved_ && waiting >= kManyWaiting;
  bool full = window_->full(waiting) || no_memory;
  if (full == in_flight_full_ && !full) return;
  in_flight_full_ = full;
  context_->in_flight_full(full, no_memory ? kMemoryPatience : window_->patience());
}

SavedPosition MqttSource::saved_position(const Position& position) {
  if (partition_.empty()) return {};  // the broker keeps the place
  completions_->formed(position.offset);
  return {partition_, inbox_.accepted_ids(position.offset)};
}

// Frees identifiers when no commit of the engine is to come that would.
void MqttSource::save_released() {
  if (partition_.empty() || !completions_->waiting() || saving_ || !inbox_.empty()) return;
  saving_ = true;
  save_ids([this, mark = completions_->mark()](bool saved) {
    saving_ = false;
    if (!saved) return save_again_->start(kSaveAgain, [this] { save_released(); });
    completions_->saved(mark);
    send_acks();
    save_released();
    if (!draining_) session_->resume();  // a PUBREL may have waited
  });
}

void MqttSource::forget_then(std::function<void()> next) {
  save_ids([this, next = std::move(next)](bool saved) {
    if (!session_->up()) return;
    if (saved) return next();
    save_again_->start(kSaveAgain, [this, next] { forget_then(next); });
  });
}

// The identifiers in use, as they are now: a failed save must not be repeated as it was, since a
// commit of the engine may have overtaken it.
void MqttSource::save_ids(std::function<void(bool saved)> done) {
  context_->save({partition_, inbox_.accepted_ids(inbox_.offset())},
                 lifetime_.guard([this, done = std::move(done)](const Status& status) {
                   if (stopping_) return;
                   if (!status)
                     log::warn(context_->pipeline(),
                               "the state of the MQTT session cannot be saved (" +
                                   status.error().message() + "); trying again");
                   done(status.has_value());
                 }));
}

std::string MqttSource::describe(const Position& position) {
  const std::optional<Inbox::Brought> brought = inbox_.brought_at(position.offset);
  const std::string topic(brought ? brought->topic : "");
  return config_.url.shown + (topic.empty() ? "" : " " + excerpt(topic, 200)) + ", message " +
         std::to_string(position.line);
}

std::string MqttSource::metadata_of(const Position& position) {
  const std::optional<Inbox::Brought> brought = inbox_.brought_at(position.offset);
  if (!brought) return {};
  std::string out =
      "{\"topic\":" + json_quoted(brought->topic) + ",\"qos\":" + std::to_string(brought->qos);
  if (brought->retained) out += ",\"retained\":true";
  bool of_users = false;
  each_text_property(brought->properties, [&](Property which, std::string_view text, auto) {
    if (which == Property::kContentType) out += ",\"contentType\":" + json_quoted(text);
    if (which == Property::kResponseTopic) out += ",\"responseTopic\":" + json_quoted(text);
    of_users = of_users || which == Property::kUserProperty;
  });
  if (of_users) out += ",\"userProperties\":" + user_properties(brought->properties);
  return out + '}';
}

// --- descriptor ---------------------------------------------------------------------------------

// A broker may send a message once for each subscription that it matches [MQTT-3.3.5-1 of 3.1.1,
// MQTT-3.3.4-2 of 5].
void warn_of_overlaps(const Options& options, OptionErrors& warnings) {
  const std::vector<std::string>& fields = options.strings("fields");
  if (std::find(fields.begin(), fields.end(), "subscriptions") != fields.end()) return;
  const std::vector<std::string>& topics = options.strings("topics");
  for (size_t a = 0; a < topics.size(); ++a)
    for (size_t b = a + 1; b < topics.size(); ++b)
      if (overlap(topics[a], topics[b]))
        return warnings.add(options, path_of_index("topics", b),
                            json_quoted(topics[a]) + " and " + json_quoted(topics[b]) +
                                " overlap: a broker may send a message once for each; with "
                                "\"subscriptions\" in \"fields\" MQTT 5 tells the copies apart");
}

Status check_topics(const Options& options, const std::vector<std::string>& topics) {
  OptionErrors errors;
  if (topics.empty())
    errors.add(options, "topics", "name at least one topic", Problem::Kind::kEmpty);
  for (size_t i = 0; i < topics.size(); ++i) {
    const std::string name = path_of_index("topics", i);
    if (Status status = check_filter(topics[i]); !status)
      errors.add(options, name, json_quoted(topics[i]) + ": " + status.error().message());
    else if (std::count(topics.begin(), topics.begin() + static_cast<ptrdiff_t>(i), topics[i]) == 1)
      errors.add(options, name, json_quoted(topics[i]) + " stands twice", Problem::Kind::kTwice);
  }
  return errors.status();
}

Result<std::unique_ptr<Source>> make(const Options& options) {
  OptionErrors errors;
  Result<SessionConfig> config = connector_session(options);
  (void)errors.good(config);
  const std::vector<std::string>& topics = options.strings("topics");
  (void)errors.good(check_topics(options, topics));
  Result<FieldMaker> fields = FieldMaker::from(options);
  (void)errors.good(fields);
  if (Status status = errors.status(); !status) return fail(status.error());
  ConnectPacket& connect = config->connect;
  connect.clean_start = options.boolean("cleanSession");
  if (!connect.clean_start)
    connect.session_expiry =
        static_cast<uint32_t>(options.duration("sessionExpiry").count() / 1000);
  config->largest_packet = static_cast<size_t>(options.bytes("maxPacket"));
  return std::make_unique<MqttSource>(std::move(*config), std::move(*fields), options);
}

Replay replay(const Options& options) {
  int64_t qos = options.integer("qos");
  if (qos == 0 || options.boolean("cleanSession")) return Replay::kNone;
  return qos == 2 ? Replay::kHoldsAckOnce : Replay::kHoldsAck;
}

bool has_fields(const Options& options) {
  return !options.strings("fields").empty() || !options.strings("topicFields").empty();
}

Status add_fields(const Options& options, std::string_view address, Batch& batch) {
  Result<FieldMaker> maker = FieldMaker::from(options);
  if (!maker) return fail(maker.error());
  Publish publish;
  publish.topic = address;
  if (batch.slices.empty() || !maker->any()) return {};
  maker->add(batch, publish, Version::k5, {}, batch.slices.back().end_offset);
  return {};
}

}  // namespace
}  // namespace mqtt

extern constexpr SourceType kMqttSource{
    .name = "mqtt",
    .help =
        "Subscribes to topics of an MQTT broker. A message of QoS 1 or 2 is acknowledged when its "
        "records are delivered or safe in the journal, not before.",
    .produces = Produces::kSlices,
    .replay = mqtt::replay,
    .options = mqtt::kSourceOptions,
    .default_format = "json",
    .bounded = nullptr,
    .has_fields = mqtt::has_fields,
    .add_fields = mqtt::add_fields,
    .make = mqtt::make,
    .warn = mqtt::warn_of_overlaps,
    .check_files = mqtt::check_files,
#ifdef LEAT_TOOLS
    .probe = mqtt::probe_source,
#endif
};

}  // namespace leat
