// The options of the mqtt connector. Source and sink have those of the connection in common.
#pragma once

#include <array>
#include <string_view>

#include "options/options.h"
#include "protocols/mqtt/connection_options.h"

namespace leat::mqtt {

inline constexpr std::string_view kFieldChoices[] = {"topic",  "qos",           "retained",
                                                     "retain", "subscriptions", "userProperties"};

inline constexpr Option kWillOptions[] = {
    {.name = "topic",
     .required = true,
     .help = "Topic of the will.",
     .example = "\"gateways/gw-1/gone\""},
    {.name = "payload", .help = "Its payload, as text."},
    {.name = "qos", .type = OptionType::kInteger, .fallback = "0", .help = "Its QoS.", .max = 2},
    {.name = "retain",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Whether the broker keeps it for later subscribers."},
};

inline constexpr auto kConnectionOptions = std::to_array<Option>({
    kVersionOption,
    {.name = "clientId",
     .help =
         "Name of the client at the broker, which must be no other client's. Without it: leat-, "
         "the agent's id and the pipeline's name; the sink adds -sink.",
     .once = "the broker lets go of one connection when the other comes, again and again",
     .once_with = "url"},
    kUserOption,
    kPasswordOption,
    {.name = "will",
     .type = OptionType::kObject,
     .help = "Message that the broker publishes when the connection is lost without a goodbye.",
     .fields = kWillOptions},
    kKeepAliveOption,
    kConnectTimeoutOption,
    kTimeoutOption,
    kTlsOption,
});

inline constexpr auto kOwnSourceOptions = std::to_array<Option>({
    {.name = "topics",
     .type = OptionType::kStrings,
     .required = true,
     .help = "Topic filters to subscribe to; + and # are wildcards, $share/GROUP/FILTER shares the "
             "messages with the other clients of the group.",
     .example = "[\"plant/+/press/#\"]"},
    {.name = "qos",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "Highest QoS at which messages are sent to leat. With 0 what is lost on the way or in "
             "a crash is lost.",
     .max = 2},
    {.name = "cleanSession",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Makes the broker forget the session when the connection ends, and with it what was "
             "not acknowledged."},
    {.name = "sessionExpiry",
     .type = OptionType::kDuration,
     .fallback = "30d",
     .help = "How long the broker keeps the session, and what comes in for it, while leat is away; "
             "MQTT 5 only. The broker may limit it.",
     .min = 1000,
     .max = 4'294'967'294'000},
    {.name = "topicFields",
     .type = OptionType::kStrings,
     .help =
         "Patterns such as \"plant/{site}/+/{device}\": named levels of the topic become fields "
         "of the record. The first pattern that is like the topic counts."},
    {.name = "fields",
     .type = OptionType::kStrings,
     .help = "What else of a message becomes a field of that name: \"topic\", \"qos\", "
             "\"retained\" (true: the broker had kept it, and sent it since the subscription was "
             "new), \"retain\" (as it was published; null with 3.1.1, which does not tell), "
             "\"subscriptions\" (a list of the topic filters it came for; null with 3.1.1), "
             "\"userProperties\" (an object).",
     .choices = kFieldChoices},
    {.name = "receiveMaximum",
     .type = OptionType::kInteger,
     .help = "Messages of QoS 1 and 2 that may wait for their acknowledgement at once. Without it, "
             "one for each 256 bytes of the pipeline's memory, from 1000 to 32767. Many brokers "
             "have a limit of their own, often 20.",
     .min = 1,
     .max = 65'535},
    {.name = "maxPacket",
     .type = OptionType::kBytes,
     .fallback = "1MiB",
     .help = "A larger message is not read into memory: it is acknowledged, and its topic and size "
             "become a dead letter.",
     .min = 1024,
     .max = 268'435'455},
});

inline constexpr auto kOwnSinkOptions = std::to_array<Option>({
    {.name = "topic",
     .required = true,
     .help = "Topic to publish to; {name} stands for the value of that field: "
             "\"plant/{site}/{device}\".",
     .example = "\"plant/{site}/{device}\""},
    {.name = "payload",
     .help = "Template of the payload, such as \"{temp}\"; {{ and }} stand for braces. Without it, "
             "the record as a JSON object."},
    {.name = "qos",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "0: delivered when sent; 1: when the broker has acknowledged it, which may duplicate "
             "it; 2: when it has, once while the connection lasts.",
     .max = 2},
    {.name = "retain",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Makes the broker keep the last message of each topic for later subscribers."},
    {.name = "window",
     .type = OptionType::kInteger,
     .help =
         "Messages of QoS 1 and 2 that may wait for the broker's acknowledgement at once. "
         "Without it, 100 but no more than an MQTT 5 broker says it takes; 20 of QoS 2 with 3.1.1, "
         "where brokers do not say.",
     .min = 1,
     .max = 65'535},
    {.name = "messageExpiry",
     .type = OptionType::kDuration,
     .help = "How long the broker keeps a message for subscribers that are away; MQTT 5 only.",
     .min = 1000,
     .max = 4'294'967'294'000},
    {.name = "contentType", .help = "Content type told to subscribers; MQTT 5 only."},
});

template <size_t N, size_t M>
constexpr std::array<Option, N + M + 1> with_connection(const std::array<Option, N>& own,
                                                        const std::array<Option, M>& connection) {
  std::array<Option, N + M + 1> all{};
  all[0] = kUrl;
  for (size_t i = 0; i < N; ++i) all[1 + i] = own[i];
  for (size_t i = 0; i < M; ++i) all[1 + N + i] = connection[i];
  return all;
}

inline constexpr auto kSourceOptions = with_connection(kOwnSourceOptions, kConnectionOptions);
inline constexpr auto kSinkOptions = with_connection(kOwnSinkOptions, kConnectionOptions);

}  // namespace leat::mqtt
