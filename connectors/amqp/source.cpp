// Consumes a queue. Acknowledges a message when the engine has delivered it or made it durable: one
// basic.ack for all that can be acknowledged. Of a stream the position is saved instead.
#include "stage/source.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "connectors/amqp/connection_options.h"
#include "connectors/amqp/field_maker.h"
#include "connectors/amqp/options.h"
#include "connectors/amqp/probe.h"
#include "connectors/amqp/queue.h"
#include "memory/budget.h"
#include "net/reconnect.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "protocols/amqp/inbox.h"
#include "protocols/amqp/session.h"

namespace leat {
namespace amqp {
namespace {

// Where nothing is said: of so many bytes of the pipeline's memory, one message may wait. What has
// come and has no room waits in the connection, and RabbitMQ closes one that takes nothing for
// long.
constexpr size_t kMemoryForOne = 1024;
constexpr size_t kLeastPrefetch = 100;
constexpr size_t kMostPrefetch = 10'000;
// The queue keeps what is behind the prefetch count, so there is no haste to make room there.
constexpr Milliseconds kNoHaste{3'600'000};

// Before a saved position that is a time.
constexpr char kSince = 't';

// Nothing that a text format could make a record of.
bool is_blank(std::string_view body) {
  return body.find_first_not_of(std::string_view(" \t\r\n\0", 5)) == std::string_view::npos &&
         body.find_first_not_of('\0') != std::string_view::npos;
}

class AmqpSource final : public Source, public SessionListener {
 public:
  AmqpSource(SessionConfig config, Queue queue, FieldMaker fields, const Options& options)
      : config_(std::move(config)),
        queue_(std::move(queue)),
        fields_(std::move(fields)),
        tls_options_(options.object("tls")),
        prefetch_(static_cast<size_t>(options.integer("prefetch"))) {}  // 0: not said

  Status open(SourceContext& context) override;
  void resume() override {
    if (!draining_ && !stopping_) session_->resume();
  }
  bool drain() override {
    draining_ = true;
    reconnect_->stop();
    session_->pause();
    return session_->up() && !queue_.is_stream();
  }
  void stop(std::function<void()> closed) override {
    stopping_ = true;
    if (!session_) return closed();  // open() failed
    reconnect_->stop();
    answer_.reset();
    session_->close(std::move(closed));
  }
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override {
    if (!queue_.is_stream()) return {};  // the broker keeps the place
    return {partition_, std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override;
  std::string metadata_of(const Position& position) override {
    const std::optional<Inbox::Brought> brought = inbox_.brought_at(position.offset);
    return brought ? metadata_json(*brought) : "";
  }

 private:
  void on_up() override;
  void on_down(const Down& down) override;
  Status on_reply(const Method& method) override;
  Result<bool> on_message(const Message& message) override;
  Status on_confirm(uint64_t, bool, bool) override {
    return fail(ErrorKind::kData, "a confirmation, though nothing was published");
  }
  Status on_cancel() override {
    return fail(ErrorKind::kData, "basic.cancel: the queue " + json_quoted(queue_.name()) +
                                      " is gone, or its leader has moved");
  }
  void on_blocked(std::string_view) override {}  // only who publishes is
  void on_unblocked() override {}
  void on_pause_in_arrival() override;
  void on_sent() override {}

  bool begin_batch(std::optional<uint64_t> offset);
  void add(const Message& message, const Result<const amqp_basic_properties_t*>& properties,
           uint64_t end);
  void reject(const Message& message, const std::string& why);
  void gap(uint64_t offset);
  void warn_of_stream();
  void send_acks();
  void tell_window();
  void load(const SavedPosition& saved);
  void note(std::string place);
  void expect_message();
  void count_memory() { charge_.set(session_->footprint() + inbox_.footprint()); }

  SessionConfig config_;
  const Queue queue_;
  FieldMaker fields_;
  const Options tls_options_;
  size_t prefetch_;

  SourceContext* context_ = nullptr;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  std::optional<Session> session_;
  std::optional<Reconnect> reconnect_;
  std::optional<Timer> answer_;  // the wait for what was asked
  Inbox inbox_;
  Pool pool_;      // of the properties of the message at hand
  Charge charge_;  // what waits for its acknowledgement, and what waits to be sent
  BatchRef batch_;
  uint32_t batch_messages_ = 0;
  size_t answered_ = 0;           // of queue_.answers()
  bool has_place_ = false;        // stream: some of it was read, now or earlier
  std::optional<int64_t> since_;  // stream: without a place, from this time on (Unix seconds)
  int64_t begun_at_ = 0;          // Unix seconds, of this connection
  bool looked_ = false;           // whether the first message is of a stream
  bool in_flight_full_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  std::string partition_;  // stream
};

// --- start and end ------------------------------------------------------------------------------

Status AmqpSource::open(SourceContext& context) {
  context_ = &context;
  if (Status tls = open_tls(tls_, config_.urls.front().tls, tls_options_, context.pipeline()); !tls)
    return tls;
  config_.name = connection_name(context.agent(), context.pipeline());
  charge_ = Charge(context.budget());
  if (prefetch_ == 0)
    prefetch_ = std::clamp(context.budget().limit() / kMemoryForOne, kLeastPrefetch, kMostPrefetch);
  if (!queue_.is_stream()) inbox_.set_window(prefetch_);
  partition_ = "stream " + queue_.name() + " in " + config_.vhost;
  if (queue_.is_stream())
    for (const auto* list : {&context.noted(), &context.saved()})
      for (const SavedPosition& saved : *list) load(saved);
  session_.emplace(context.loop(), config_, tls_.get(), *this);
  reconnect_.emplace(context.loop(), context.pipeline(), [this] { session_->connect(); });
  answer_.emplace(context.loop());
  session_->connect();
  return {};
}

// Of a stream: where it was left, or when it was begun.
void AmqpSource::load(const SavedPosition& saved) {
  if (saved.partition != partition_ || saved.value.empty()) return;
  const bool is_time = saved.value.front() == kSince;
  const char* end = saved.value.data() + saved.value.size();
  uint64_t number = 0;
  if (std::from_chars(saved.value.data() + (is_time ? 1 : 0), end, number).ptr != end) return;
  if (is_time) {
    since_ = static_cast<int64_t>(number);
  } else {
    inbox_.begin_at(number);
    has_place_ = true;
  }
}

void AmqpSource::on_up() {
  answered_ = 0;
  begun_at_ = context_->loop().clock().unix_us() / 1'000'000;
  // The message that was read last is asked for: it is there, or the stream is another one.
  Queue::From from{.offset = std::nullopt, .since = since_};
  if (has_place_) from.offset = std::max<uint64_t>(inbox_.offset(), 1) - 1;
  if (!queue_.append_all(session_->out(), static_cast<uint16_t>(prefetch_), from)) {
    answer_->start_next_turn(
        [this] { session_->drop("the arguments of the queue are larger than a frame"); });
    return;
  }
  session_->flush();
  answer_->start(config_.timeout, [this] {
    session_->drop("no answer to " + queue_.step(answered_) + " within " +
                   format_duration(config_.timeout));
  });
}

Status AmqpSource::on_reply(const Method& method) {
  if (answered_ == queue_.answers())
    return fail(ErrorKind::kData, method_name(method.id) + ", which was not asked for");
  if (++answered_ < queue_.answers()) return {};
  if (method.id != AMQP_BASIC_CONSUME_OK_METHOD)
    return fail(ErrorKind::kData, method_name(method.id) + " for basic.consume-ok");
  answer_->stop();
  const std::string broker = session_->broker().empty() ? "" : " (" + session_->broker() + ")";
  reconnect_->connected("connected to " + session_->url().shown + broker +  // logged: info
                        ", queue " + json_quoted(queue_.name()));
  if (!has_place_ && !since_) {
    since_ = queue_.since(begun_at_);
    if (since_) note(kSince + std::to_string(*since_));
  }
  if (has_place_ && inbox_.offset() > 0) expect_message();
  return {};
}

void AmqpSource::note(std::string place) {
  context_->note({{partition_, std::move(place)}}, SourceContext::Survives::kKill,
                 [](const Status&) {});
}

// Retention leaves the newest of a stream, so from a place within it something comes at once. From
// one behind its end RabbitMQ gives nothing until the stream has grown past it.
void AmqpSource::expect_message() {
  answer_->start(config_.timeout, [this] {
    if (draining_ || stopping_) return;
    if (!inbox_.empty()) return expect_message();  // of what was there before
    const std::string left_at = std::to_string(inbox_.offset());
    inbox_.begin_at(0);
    note("0");
    session_->drop("the stream " + json_quoted(queue_.name()) + " ends before offset " + left_at +
                   ", where it was left: it was made anew, and is read from its start");
  });
}

void AmqpSource::on_down(const Down& down) {
  answer_->stop();
  inbox_.connection_lost(!queue_.is_stream());
  count_memory();
  batch_.reset();  // nothing is in it: it is emitted at the end of each read
  tell_window();
  if (stopping_ || draining_) return;
  const bool asking = down.on_channel && answered_ < queue_.answers();
  reconnect_->failed(down.text + (asking ? " (" + queue_.step(answered_) + ")" : ""));
}

// --- messages -----------------------------------------------------------------------------------

bool AmqpSource::begin_batch(std::optional<uint64_t> offset) {
  if (batch_) return true;
  batch_ = context_->new_batch(Content::kSlices);
  if (!batch_) return false;
  batch_->begin = {.offset = offset.value_or(inbox_.offset())};
  batch_->end = batch_->begin;
  batch_->arrival_us = context_->loop().clock().unix_us();
  batch_messages_ = 0;
  fields_.begin_batch();
  return true;
}

Result<bool> AmqpSource::on_message(const Message& message) {
  if (draining_) return false;
  if (message.returned) return fail(ErrorKind::kData, "a message back, though none was published");
  pool_.recycle();
  Result<const amqp_basic_properties_t*> properties = decode_properties(message.properties, pool_);
  const bool has_id = properties && ((*properties)->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0;
  const std::string_view id = has_id ? text_of((*properties)->message_id) : std::string_view();
  std::optional<uint64_t> offset;
  if (queue_.is_stream()) {
    offset = stream_offset(message.properties);
    if (!offset) return fail(ErrorKind::kData, "a message of a stream without its offset");
    if (answered_ == queue_.answers()) answer_->stop();
    if (has_place_ && *offset < inbox_.offset()) {  // a stream is read from the start of a chunk
      inbox_.pass(message);
      return true;
    }
    if (has_place_ && *offset > inbox_.offset()) gap(*offset);
  } else {
    if (!std::exchange(looked_, true) && stream_offset(message.properties)) warn_of_stream();
    if (inbox_.seen(message, id)) return true;
  }
  // What belongs to one batch is counted from its begin in 32 bits.
  if (batch_ && offset && *offset - batch_->begin.offset >= UINT32_MAX) on_pause_in_arrival();
  if (!begin_batch(offset)) return false;
  if (offset && !has_place_) note(std::to_string(*offset));
  has_place_ = queue_.is_stream();
  add(message, properties,
      inbox_.add(message, id, offset ? std::optional(*offset + 1) : std::nullopt));
  return true;
}

void AmqpSource::add(const Message& message,
                     const Result<const amqp_basic_properties_t*>& properties, uint64_t end) {
  batch_->end.offset = end;
  ++batch_messages_;
  if (message.cut)
    return reject(message, "a message of " + format_bytes(static_cast<int64_t>(message.size)) +
                               ", more than maxMessage");
  // Of one message: the frames around it are well, and it would come again for ever.
  if (!properties) return reject(message, "it has " + properties.error().message());
  if (!context_->takes_empty() && (message.body.empty() || is_blank(message.body)))
    return reject(message, message.body.empty() ? "the body is empty" : "the body is blank");
  const auto end_offset = static_cast<uint32_t>(end - batch_->begin.offset);
  const std::string_view body = batch_->arena.copy(message.body);
  batch_->slices.push_back(
      {body.data(), static_cast<uint32_t>(body.size()), end_offset, batch_messages_});
  if (fields_.any()) fields_.add(*batch_, message, **properties, end_offset);
}

void AmqpSource::reject(const Message& message, const std::string& why) {
  batch_->rejected.push_back({batch_->arena.copy(message.cut ? message.routing_key : message.body),
                              batch_->arena.copy(why), batch_messages_,
                              static_cast<uint32_t>(batch_->end.offset - batch_->begin.offset)});
}

void AmqpSource::gap(uint64_t offset) {
  log::warn(context_->pipeline(),
            session_->url().shown + ": the stream " + json_quoted(queue_.name()) +
                " no longer has its messages from " + std::to_string(inbox_.offset()) +
                "; it goes on at " + std::to_string(offset));
}

// It may as well be a queue that somebody moves the messages of a stream to, so it is not refused.
void AmqpSource::warn_of_stream() {
  log::warn(context_->pipeline(),
            session_->url().shown + ": the queue " + json_quoted(queue_.name()) +
                " has messages of a stream: if it is one, its place is not kept, and what comes "
                "while leat is away is passed over, without \"declare\": {\"type\": \"stream\"}");
}

void AmqpSource::on_pause_in_arrival() {
  if (batch_) {
    context_->emit(std::exchange(batch_, {}));
    context_->progress(inbox_.offset(), std::nullopt);
  }
  send_acks();  // of what was delivered again
  tell_window();
  count_memory();
}

// --- acknowledging ------------------------------------------------------------------------------

void AmqpSource::acked(const Position& position) {
  log::debug(context_->pipeline(), [&position] {
    return "acknowledged: messages up to " + std::to_string(position.offset);
  });
  inbox_.acked(position.offset);
  count_memory();
  if (stopping_) return;
  send_acks();
  tell_window();
}

void AmqpSource::send_acks() {
  if (!session_->up()) return;
  if (const std::optional<uint64_t> tag = inbox_.take_tag()) {
    const amqp_basic_ack_t ack{.delivery_tag = *tag, .multiple = 1};
    append_method(session_->out(), kChannel, AMQP_BASIC_ACK_METHOD, &ack);
  }
  session_->flush();
}

void AmqpSource::tell_window() {
  const bool full = inbox_.unacknowledged() >= prefetch_;
  if (full == in_flight_full_ && !full) return;
  in_flight_full_ = full;
  context_->in_flight_full(full, kNoHaste);
}

std::string AmqpSource::describe(const Position& position) {
  const std::optional<Inbox::Brought> brought = inbox_.brought_at(position.offset);
  const std::string key(brought ? brought->routing_key : "");
  std::string out = session_->url().shown + " " + excerpt(queue_.name(), 200);
  if (!key.empty() && key != queue_.name()) out += ", routing key " + excerpt(key, 200);
  if (queue_.is_stream()) return out + ", offset " + std::to_string(position.offset - 1);
  return out + ", message " + std::to_string(position.line);
}

// --- descriptor ---------------------------------------------------------------------------------

Result<std::unique_ptr<Source>> make(const Options& options) {
  OptionErrors errors;
  Result<SessionConfig> config = session_config(options);
  (void)errors.good(config);
  Result<Queue> queue = Queue::from(options);
  (void)errors.good(queue);
  Result<FieldMaker> fields = FieldMaker::from(options);
  (void)errors.good(fields);
  if (Status status = errors.status(); !status) return fail(status.error());
  config->largest_message = static_cast<size_t>(options.bytes("maxMessage"));
  return std::make_unique<AmqpSource>(std::move(*config), std::move(*queue), std::move(*fields),
                                      options);
}

Replay replay(const Options& options) {
  const bool stream =
      options.has("declare") && options.object("declare").string("type") == "stream";
  return stream ? Replay::kFromPosition : Replay::kHoldsAck;
}

bool has_fields(const Options& options) {
  return !options.strings("fields").empty();
}

Status add_fields(const Options& options, std::string_view address, Batch& batch) {
  Result<FieldMaker> maker = FieldMaker::from(options);
  if (!maker) return fail(maker.error());
  if (batch.slices.empty() || !maker->any()) return {};
  Message message;
  message.routing_key = address;
  maker->add(batch, message, amqp_basic_properties_t{}, batch.slices.back().end_offset);
  return {};
}

}  // namespace
}  // namespace amqp

extern constexpr SourceType kAmqpSource{
    .name = "amqp",
    .help =
        "Consumes a queue or a stream of an AMQP 0-9-1 broker (RabbitMQ). A message is "
        "acknowledged when its records are delivered or safe in the journal, not before.",
    .produces = Produces::kSlices,
    .replay = amqp::replay,
    .options = amqp::kSourceOptions,
    .default_format = "json",
    .bounded = nullptr,
    .has_fields = amqp::has_fields,
    .add_fields = amqp::add_fields,
    .make = amqp::make,
    .check_files = amqp::check_files,
#ifdef LEAT_TOOLS
    .probe = amqp::probe_source,
#endif
};

}  // namespace leat
