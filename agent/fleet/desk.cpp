#include "fleet/desk.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>
#include <tuple>
#include <utility>

#include "base/random.h"

namespace leat::fleet {
namespace {

constexpr int kQos = 1;
constexpr int kKeepAliveSeconds = 30;
constexpr int kConnectSeconds = 10;
constexpr unsigned long kPublishPatienceMs = 10'000;
constexpr Milliseconds kBetweenAttempts{1'000};

std::string reason_of(int code) {
  const char* text = code > 0 ? MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(code))
                              : MQTTClient_strerror(code);
  return text == nullptr ? "error " + std::to_string(code) : text;
}

// What a person must change: trying again cannot help.
bool is_refusal(int code) {
  return code == MQTTREASONCODE_NOT_AUTHORIZED ||
         code == MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD || code == MQTTREASONCODE_BANNED ||
         code == MQTTREASONCODE_TOPIC_FILTER_INVALID;
}

Status status_of(const std::string& what, int code) {
  if (code == MQTTCLIENT_SUCCESS) return {};
  return fail(is_refusal(code) ? ErrorKind::kUsage : ErrorKind::kUnavailable,
              what + ": " + reason_of(code));
}

// Paho's words for the schemes of the field.
Result<std::string> paho_url(const std::string& url) {
  for (const auto& [ours, its, port] :
       {std::tuple("mqtt://", "tcp://", ":1883"), std::tuple("mqtts://", "ssl://", ":8883")}) {
    if (!url.starts_with(ours)) continue;
    std::string authority = url.substr(std::string_view(ours).size());
    while (authority.ends_with('/')) authority.pop_back();
    const size_t behind_host = authority.rfind(']') == std::string::npos ? 0 : authority.rfind(']');
    if (authority.find(':', behind_host) == std::string::npos) authority += port;
    return its + authority;
  }
  return fail(ErrorKind::kUsage, "--broker: mqtt://HOST[:PORT] or mqtts://HOST[:PORT] is needed");
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

Result<std::unique_ptr<Desk>> Desk::connect(const Clock& clock, DeskSetup setup) {
  std::unique_ptr<Desk> out(new Desk(clock, std::move(setup)));
  Status status = out->open();
  if (status) status = out->connect_again();
  if (!status) return fail(status.error());
  return out;
}

Desk::~Desk() {
  if (client_ == nullptr) return;
  MQTTClient_disconnect5(client_, 1'000, MQTTREASONCODE_SUCCESS, nullptr);
  MQTTClient_destroy(&client_);
}

Status Desk::open() {
  Result<std::string> url = paho_url(setup_.url);
  if (!url) return fail(url.error());
  std::array<char, 32> id;
  std::snprintf(id.data(), id.size(), "leat-fleet-%08x", static_cast<unsigned>(random_number()));
  MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
  options.MQTTVersion = MQTTVERSION_5;
  return status_of("leat-fleet",
                   MQTTClient_createWithOptions(&client_, url->c_str(), id.data(),
                                                MQTTCLIENT_PERSISTENCE_NONE, nullptr, &options));
}

Status Desk::try_once() {
  MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
  tls.trustStore = or_null(setup_.ca);
  tls.keyStore = or_null(setup_.cert);
  tls.privateKey = or_null(setup_.key);
  tls.verify = 1;  // that the certificate is this host's
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
  options.keepAliveInterval = kKeepAliveSeconds;
  options.connectTimeout = kConnectSeconds;
  options.cleanstart = 1;
  options.username = or_null(setup_.user);
  options.password = or_null(setup_.password);
  if (setup_.url.starts_with("mqtts://")) options.ssl = &tls;
  MQTTResponse response = MQTTClient_connect5(client_, &options, nullptr, nullptr);
  const int code = response.reasonCode;
  MQTTResponse_free(response);
  return status_of("connect to " + setup_.url, code);
}

Status Desk::connect_again() {
  const int64_t until = clock_.monotonic_us() + setup_.patience.count() * 1000;
  for (;;) {
    Status status = try_once();
    if (status) status = subscribe_again();
    if (status || status.error().kind() == ErrorKind::kUsage) return status;
    if (clock_.monotonic_us() >= until) return status;
    // Nothing else is there to be waited for.
    MQTTClient_disconnect5(client_, 0, MQTTREASONCODE_SUCCESS, nullptr);
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

Status Desk::subscribe_again() {
  for (const std::string& topic : topics_) {
    MQTTResponse response = MQTTClient_subscribe5(client_, topic.c_str(), kQos, nullptr, nullptr);
    const int code = response.reasonCode;
    MQTTResponse_free(response);
    // The reason of a good one is the granted QoS.
    if (code != kQos && code != MQTTREASONCODE_GRANTED_QOS_0)
      if (Status status = status_of("subscribe to " + topic, code); !status) return status;
  }
  return {};
}

Status Desk::subscribe(std::vector<std::string> topics) {
  topics_ = std::move(topics);
  Status status = subscribe_again();
  if (status || status.error().kind() == ErrorKind::kUsage) return status;
  return connect_again();
}

Status Desk::publish(const std::string& topic, const std::string& payload) {
  const int64_t until = clock_.monotonic_us() + setup_.patience.count() * 1000;
  for (;;) {
    MQTTClient_deliveryToken token = 0;
    MQTTResponse response =
        MQTTClient_publish5(client_, topic.c_str(), static_cast<int>(payload.size()),
                            payload.data(), kQos, 0, nullptr, &token);
    int code = response.reasonCode;
    MQTTResponse_free(response);
    if (code == MQTTCLIENT_SUCCESS)
      code = MQTTClient_waitForCompletion(client_, token, kPublishPatienceMs);
    Status status = status_of("publish to " + topic, code);
    if (status || is_refusal(code) || clock_.monotonic_us() >= until) return status;
    if (Status connected = connect_again(); !connected) return connected;
  }
}

Result<std::optional<Message>> Desk::next(Milliseconds at_most) {
  char* topic = nullptr;
  int topic_size = 0;
  MQTTClient_message* message = nullptr;
  const int code =
      MQTTClient_receive(client_, &topic, &topic_size, &message,
                         static_cast<unsigned long>(std::max<int64_t>(1, at_most.count())));
  std::optional<Message> out;
  if (message != nullptr) {
    out = Message{.topic = std::string(topic, static_cast<size_t>(topic_size)),
                  .payload = std::string(static_cast<const char*>(message->payload),
                                         static_cast<size_t>(message->payloadlen))};
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return out;
  }
  if (code == MQTTCLIENT_SUCCESS || code == MQTTCLIENT_TOPICNAME_TRUNCATED) return out;
  if (MQTTClient_isConnected(client_)) return out;
  if (Status status = connect_again(); !status) return fail(status.error());
  return out;
}

}  // namespace leat::fleet
