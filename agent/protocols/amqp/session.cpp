#include "protocols/amqp/session.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "protocols/amqp/reply.h"

namespace leat::amqp {
namespace {

constexpr std::string_view kProtocolHeader("AMQP\0\0\x09\x01", 8);  // [AMQP §4.2.2]
constexpr uint16_t kReplySuccess = 200;
constexpr uint16_t kInternalError = 541;
// A buffer larger than this is given back once it is empty.
constexpr size_t kKeptOut = 64 * 1024;
// How long the last frames may take to leave.
constexpr Milliseconds kFarewell{2'000};

amqp_table_entry_t text_entry(const char* name, std::string_view text) {
  amqp_table_entry_t out{.key = amqp_cstring_bytes(name), .value = {}};
  out.value.kind = AMQP_FIELD_KIND_UTF8;
  out.value.value.bytes = bytes_of(text);
  return out;
}

amqp_table_entry_t true_entry(const char* name) {
  amqp_table_entry_t out{.key = amqp_cstring_bytes(name), .value = {}};
  out.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  out.value.value.boolean = 1;
  return out;
}

std::string_view text_in(const amqp_table_t& table, std::string_view name) {
  for (int i = 0; i < table.num_entries; ++i) {
    const amqp_table_entry_t& entry = table.entries[i];
    if (text_of(entry.key) == name && entry.value.kind == AMQP_FIELD_KIND_UTF8)
      return text_of(entry.value.value.bytes);
  }
  return {};
}

// Whether `name` is one of the words of `list`, between blanks.
bool has_word(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(' '));
    if (word == name) return true;
    list.remove_prefix(std::min(list.size(), word.size() + 1));
  }
  return false;
}

}  // namespace

Session::Session(Loop& loop, SessionConfig config, TlsContext* tls, SessionListener& listener)
    : loop_(loop),
      config_(std::move(config)),
      tls_(tls),
      listener_(listener),
      framer_(kLargestFrame, [this](const Frame& frame) { return take(frame); }),
      incoming_(config_.largest_message,
                [this](const Message& message) { return listener_.on_message(message); }),
      timer_(loop) {}

Session::~Session() = default;

// --- connecting ---------------------------------------------------------------------------------

void Session::connect() {
  tried_ = 0;
  failures_.clear();
  dial();
}

void Session::dial() {
  disconnected();
  said_ = {};
  broker_.clear();
  ++tried_;
  state_ = State::kConnecting;
  stream_ = std::make_unique<Stream>(loop_, *this);
  if (config_.quick_ack) stream_->confirm_at_once();
  stream_->connect(url().address, config_.connect_timeout, tls_);
}

// Forgets all about the connection.
void Session::disconnected() {
  state_ = State::kDown;
  paused_ = choked_ = false;
  timer_.stop();
  stream_.reset();
  framer_.reset();
  incoming_.reset();
  std::string().swap(out_);
  std::string().swap(sending_);
}

void Session::failed(std::string text) {
  const bool was_up = up();
  said_.was_up = was_up;
  text = url().shown + ": " + std::move(text);
  disconnected();
  // Of a connection whose channel the broker has closed the node is well.
  if (!said_.on_channel) at_ = (at_ + 1) % config_.urls.size();
  failures_ += (failures_.empty() ? "" : "; ") + text;
  if (!was_up && !said_.on_channel && tried_ < config_.urls.size())
    return timer_.start_next_turn([this] { dial(); });
  said_.text = was_up ? std::move(text) : std::exchange(failures_, {});
  const Down down = std::exchange(said_, {});
  listener_.on_down(down);
}

void Session::drop(const std::string& why) {
  if (up()) {
    say_close(kInternalError, why);
    flush();  // what the kernel does not take at once is lost with the connection
  }
  failed(why);
}

void Session::on_connected(Status status) {
  if (!status) return failed(status.error().message());
  state_ = State::kStart;
  out_.append(kProtocolHeader);
  flush();
  timer_.start(config_.timeout, [this] {
    failed("no answer of a broker within " + format_duration(config_.timeout));
  });
}

void Session::on_closed(Status status) {
  if (closing_) return end_closing();
  std::string text = "the connection was closed by the broker";
  if (!status) text = "the connection is lost (" + status.error().message() + ")";
  if (!up()) {
    text += state_ == State::kTune ? " after it was told who connects: is the \"password\" right?"
            : state_ == State::kOpen
                ? " when it was asked for the virtual host " + json_quoted(config_.vhost)
                : " before it was opened";
    if (state_ == State::kStart && !url().tls) text += "; a TLS port needs amqps://";
  }
  failed(std::move(text));
}

void Session::on_data(std::span<const char> bytes) {
  const std::string_view text(bytes.data(), bytes.size());
  last_received_ = loop_.now();
  if (state_ == State::kStart) {
    // What a TLS server says to a client that speaks in clear: an alert (RFC 5246 section 6.2.1).
    if (text.starts_with("\x15\x03"))
      return failed("the server answered with TLS: amqps:// is needed");
    // A broker that does not speak this version says which it does, and closes [AMQP §4.2.2].
    if (text.starts_with("AMQP"))
      return failed("the server speaks another version of AMQP than 0-9-1");
  }
  arrived(framer_.feed(text));
}

void Session::arrived(const Status& status) {
  if (closing_) {
    if (!status) end_closing();
    return;
  }
  if (up()) listener_.on_pause_in_arrival();
  if (status) {
    if (framer_.holding()) pause();
    flush();
    choked_ = up() && unsent() > config_.most_unsent;
    return update_reading();
  }
  if (said_.code != 0) {
    flush();  // the broker is told that it was heard
    return failed(status.error().message());
  }
  drop("the broker sent " + status.error().message());
}

// --- the handshake [AMQP §2.2.4] ----------------------------------------------------------------

Status Session::start(const amqp_connection_start_t& start) {
  if (start.version_major != 0 || start.version_minor != 9)
    return fail(ErrorKind::kData, "version " + std::to_string(start.version_major) + "-" +
                                      std::to_string(start.version_minor) +
                                      " of AMQP, which is not 0-9-1");
  broker_ = excerpt(text_in(start.server_properties, "product"));
  if (!broker_.empty()) broker_ += " " + excerpt(text_in(start.server_properties, "version"));
  const char* mechanism = config_.external ? "EXTERNAL" : "PLAIN";
  const std::string_view offered = text_of(start.mechanisms);
  if (!has_word(offered, mechanism))
    return fail(ErrorKind::kData,
                "an offer of " + json_quoted(excerpt(offered)) +
                    " to prove who connects, without " + mechanism +
                    (config_.external ? " (RabbitMQ: plugin rabbitmq_auth_mechanism_ssl)" : ""));
  std::array capabilities = {true_entry("publisher_confirms"), true_entry("basic.nack"),
                             true_entry("consumer_cancel_notify"), true_entry("connection.blocked"),
                             true_entry("authentication_failure_close")};
  std::array properties = {text_entry("product", "leat"),
                           text_entry("connection_name", config_.name),
                           text_entry("capabilities", {})};
  properties.back().value.kind = AMQP_FIELD_KIND_TABLE;
  properties.back().value.value.table = {static_cast<int>(capabilities.size()),
                                         capabilities.data()};
  const std::string plain = '\0' + config_.user + '\0' + config_.password;  // RFC 4616
  const amqp_connection_start_ok_t answer{
      .client_properties = {static_cast<int>(properties.size()), properties.data()},
      .mechanism = amqp_cstring_bytes(mechanism),
      .response = bytes_of(config_.external ? std::string_view() : plain),
      .locale = amqp_cstring_bytes("en_US")};
  send(0, AMQP_CONNECTION_START_OK_METHOD, &answer);
  state_ = State::kTune;
  return {};
}

Status Session::tune(const amqp_connection_tune_t& tune) {
  // 0 is no limit. A broker may not ask for less than each peer must take.
  const uint32_t frame =
      tune.frame_max == 0 ? kLargestFrame : std::min(tune.frame_max, kLargestFrame);
  if (frame < kLeastFrame)
    return fail(ErrorKind::kData, "a largest frame of " + std::to_string(frame) + " bytes");
  largest_frame_ = frame;
  const Milliseconds theirs = std::chrono::seconds(tune.heartbeat);
  heartbeat_ = theirs.count() == 0 || config_.heartbeat.count() == 0
                   ? std::max(theirs, config_.heartbeat)
                   : std::min(theirs, config_.heartbeat);
  const amqp_connection_tune_ok_t answer{
      .channel_max = 1,
      .frame_max = frame,
      .heartbeat = static_cast<uint16_t>(heartbeat_.count() / 1000)};
  send(0, AMQP_CONNECTION_TUNE_OK_METHOD, &answer);
  const amqp_connection_open_t open{
      .virtual_host = bytes_of(config_.vhost), .capabilities = {}, .insist = 0};
  send(0, AMQP_CONNECTION_OPEN_METHOD, &open);
  state_ = State::kOpen;
  return {};
}

void Session::opened() {
  state_ = State::kUp;
  timer_.stop();
  beat();
  listener_.on_up();
}

// --- what comes ---------------------------------------------------------------------------------

Result<bool> Session::take(const Frame& frame) {
  if (frame.type == AMQP_FRAME_HEARTBEAT) return true;
  if (closing_ && frame.type != AMQP_FRAME_METHOD) return true;
  if (frame.type == AMQP_FRAME_METHOD) return take_method(frame);
  if (frame.channel != kChannel || !up() || !incoming_.open())
    return fail(ErrorKind::kData,
                "a frame of type " + std::to_string(frame.type) + " where none can be");
  Result<bool> taken = incoming_.add(frame);
  if (taken) pool_.recycle();
  return taken;
}

Result<bool> Session::take_method(const Frame& frame) {
  Result<Method> method = decode_method(frame.payload, pool_);
  if (!method) return fail(method.error());
  if (closing_) {
    if (method->id == AMQP_CONNECTION_CLOSE_OK_METHOD) end_closing();
    return true;
  }
  if (frame.channel == 0) {
    Status status = connection_method(*method);
    pool_.recycle();
    if (!status) return fail(status.error());
    return true;
  }
  if (frame.channel != kChannel)
    return fail(ErrorKind::kData, "something on channel " + std::to_string(frame.channel));
  if (incoming_.open()) return fail(ErrorKind::kData, "a method in the middle of a message");
  Result<bool> taken = channel_method(*method);
  pool_.recycle();
  return taken;
}

Status Session::connection_method(const Method& method) {
  switch (method.id) {
    case AMQP_CONNECTION_START_METHOD:
      if (state_ == State::kStart) return start(method.as<amqp_connection_start_t>());
      break;
    case AMQP_CONNECTION_TUNE_METHOD:
      if (state_ == State::kTune) return tune(method.as<amqp_connection_tune_t>());
      break;
    case AMQP_CONNECTION_OPEN_OK_METHOD: {
      if (state_ != State::kOpen) break;
      const amqp_channel_open_t open{.out_of_band = {}};
      send(kChannel, AMQP_CHANNEL_OPEN_METHOD, &open);
      state_ = State::kChannelOpen;
      return {};
    }
    case AMQP_CONNECTION_CLOSE_METHOD:
      return closed_by_broker(method);
    case AMQP_CONNECTION_BLOCKED_METHOD:
      if (!up()) break;
      listener_.on_blocked(text_of(method.as<amqp_connection_blocked_t>().reason));
      return {};
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      if (!up()) break;
      listener_.on_unblocked();
      return {};
    default:
      break;
  }
  return fail(ErrorKind::kData, method_name(method.id) + " where it cannot be");
}

Result<bool> Session::channel_method(const Method& method) {
  switch (method.id) {
    case AMQP_CHANNEL_OPEN_OK_METHOD:
      if (state_ != State::kChannelOpen) break;
      if (!config_.confirms) {
        opened();
        return true;
      } else {
        const amqp_confirm_select_t select{.nowait = 0};
        send(kChannel, AMQP_CONFIRM_SELECT_METHOD, &select);
        state_ = State::kConfirms;
        return true;
      }
    case AMQP_CONFIRM_SELECT_OK_METHOD:
      if (state_ != State::kConfirms) break;
      opened();
      return true;
    case AMQP_CHANNEL_CLOSE_METHOD:
      return fail(closed_by_broker(method).error());
    default:
      break;
  }
  if (!up()) return fail(ErrorKind::kData, method_name(method.id) + " where it cannot be");
  Status status;
  switch (method.id) {
    case AMQP_BASIC_DELIVER_METHOD:
      incoming_.begin(method.as<amqp_basic_deliver_t>());
      return true;
    case AMQP_BASIC_RETURN_METHOD:
      incoming_.begin(method.as<amqp_basic_return_t>());
      return true;
    case AMQP_BASIC_ACK_METHOD: {
      const auto& ack = method.as<amqp_basic_ack_t>();
      status = listener_.on_confirm(ack.delivery_tag, ack.multiple != 0, true);
      break;
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto& nack = method.as<amqp_basic_nack_t>();
      status = listener_.on_confirm(nack.delivery_tag, nack.multiple != 0, false);
      break;
    }
    case AMQP_BASIC_CANCEL_METHOD:
      status = listener_.on_cancel();
      break;
    case AMQP_CHANNEL_FLOW_METHOD: {  // RabbitMQ does not use it; it must be answered [AMQP
                                      // §1.5.2.3]
      const amqp_channel_flow_ok_t ok{.active = method.as<amqp_channel_flow_t>().active};
      send(kChannel, AMQP_CHANNEL_FLOW_OK_METHOD, &ok);
      break;
    }
    default:
      status = listener_.on_reply(method);
  }
  if (!status) return fail(status.error());
  return true;
}

// Of the connection and of the channel, which look alike. Nothing follows either.
Status Session::closed_by_broker(const Method& method) {
  const auto& close = method.as<amqp_channel_close_t>();
  said_.on_channel = method.id == AMQP_CHANNEL_CLOSE_METHOD;
  said_.code = std::max<uint16_t>(close.reply_code, 1);
  said_.method = uint32_t{close.class_id} << 16 | close.method_id;
  const amqp_channel_close_ok_t ok{};
  if (said_.on_channel) {
    send(kChannel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    say_close(kReplySuccess, "the channel is closed");
  } else {
    send(0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
  }
  return fail(ErrorKind::kData, reply_words(close.reply_code, text_of(close.reply_text)));
}

// --- sending ------------------------------------------------------------------------------------

void Session::send(uint16_t channel, uint32_t id, const void* arguments) {
  if (!append_method(out_, channel, id, arguments)) std::abort();  // none of these is large
}

void Session::say_close(uint16_t code, const std::string& why) {
  const std::string text = why.substr(0, kLongestShortText);
  const amqp_connection_close_t close{
      .reply_code = code, .reply_text = bytes_of(text), .class_id = 0, .method_id = 0};
  send(0, AMQP_CONNECTION_CLOSE_METHOD, &close);
}

void Session::flush() {
  if (out_.empty() || !sending_.empty() || !stream_) return;
  sending_.swap(out_);
  last_sent_ = loop_.now();
  uv_buf_t buffer = uv_buf_init(sending_.data(), static_cast<unsigned>(sending_.size()));
  stream_->write({&buffer, 1}, [this] {
    sending_.clear();
    if (sending_.capacity() > kKeptOut) std::string().swap(sending_);
    const bool more = !out_.empty();
    if (more) flush();
    if (choked_ && unsent() <= config_.most_unsent) {
      choked_ = false;
      update_reading();
    }
    if (!more && up() && !closing_) listener_.on_sent();
  });
}

void Session::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  if (!up()) return end_closing();
  say_close(kReplySuccess, "");
  flush();
  // What the broker has sent meanwhile is read, and let go: only then comes its close-ok, and with
  // it the certainty that what was sent before has arrived.
  paused_ = choked_ = false;
  if (framer_.holding()) arrived(framer_.go_on());
  if (ended_) return;
  stream_->resume();
  timer_.start(kFarewell, [this] { end_closing(); });
}

void Session::end_closing() {
  ended_ = true;
  timer_.start_next_turn([this] {
    disconnected();
    std::exchange(closed_, nullptr)();
  });
}

// --- reading and waiting ------------------------------------------------------------------------

void Session::pause() {
  if (!up()) return;
  paused_ = true;
  update_reading();
}

void Session::resume() {
  if (!up() || !paused_ || closing_) return;
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

// Something must be sent within the time agreed on, or the broker closes after two of it; so must
// something come [AMQP §4.2.7]. While leat does not read it cannot know whether it does.
void Session::beat() {
  if (heartbeat_.count() == 0) return;
  const Milliseconds now = loop_.now();
  const Milliseconds half = heartbeat_ / 2;
  if (paused_ || choked_) last_received_ = now;
  if (now - last_received_ >= 2 * heartbeat_)
    return drop("the broker is silent: nothing came for " + format_duration(now - last_received_));
  if (now - last_sent_ >= half && sending_.empty()) {
    append_heartbeat(out_);
    flush();
  }
  timer_.start(std::max(Milliseconds{1}, std::min(half, last_sent_ + half - now)),
               [this] { beat(); });
}

}  // namespace leat::amqp
