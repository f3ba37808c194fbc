// The options of the amqp connector. Source and sink have those of the connection in common.
#pragma once

#include <array>
#include <string_view>

#include "net/tls.h"
#include "options/options.h"

namespace leat::amqp {

inline constexpr Option kUrls = {
    .name = "urls",
    .type = OptionType::kStrings,
    .required = true,
    .help =
        "The broker: amqp://host:5672 or amqps://host:5671 (TLS), the ports are the defaults. Of a "
        "cluster several nodes: they are tried in turn.",
    .example = "[\"amqp://broker.example:5672\"]"};

inline constexpr std::string_view kAuthChoices[] = {"plain", "external"};

inline constexpr auto kConnectionOptions = std::to_array<Option>({
    {.name = "vhost", .fallback = "/", .help = "Virtual host of the broker."},
    {.name = "auth",
     .fallback = "plain",
     .help = "How the broker learns who connects: by user and password, or by the certificate of "
             "`tls` (SASL EXTERNAL).",
     .choices = kAuthChoices},
    {.name = "user",
     .fallback = "guest",
     .help = "User name. RabbitMQ lets guest in from its own machine only."},
    {.name = "password", .secret = true, .help = "Password of the user; that of guest is guest."},
    {.name = "heartbeat",
     .type = OptionType::kDuration,
     .fallback = "60s",
     .help =
         "Within so long something is sent each way; after twice that without anything the "
         "connection is taken for lost. The broker may want it shorter. Whole seconds; 0s: only "
         "if the broker wants it.",
     .max = 65'535'000},
    {.name = "connectTimeout",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "For resolving the name, connecting and the TLS handshake together, of each URL.",
     .min = 1},
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "For the broker's answers.",
     .min = 1},
    {.name = "tls",
     .type = OptionType::kObject,
     .help = "How the broker is verified, and the client certificate; for amqps:// only.",
     .fields = kTlsOptions,
     .only_when_given = true},
});

// --- the source ---------------------------------------------------------------------------------

inline constexpr std::string_view kQueueTypes[] = {"quorum", "classic", "stream"};

inline constexpr Option kDeclareOptions[] = {
    {.name = "type",
     .fallback = "quorum",
     .help =
         "Type of the queue. A quorum queue lives on several nodes of a cluster, a stream keeps "
         "what was read.",
     .choices = kQueueTypes},
    {.name = "durable",
     .type = OptionType::kBool,
     .fallback = "true",
     .help =
         "Whether the queue is there after a restart of the broker; only a classic one may not."},
    {.name = "exclusive",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "Whether the queue goes with this connection, and with it what is in it; classic only."},
    {.name = "autoDelete",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Whether the queue goes with its last consumer; classic only."},
    {.name = "arguments",
     .type = OptionType::kMap,
     .help =
         "More arguments of the queue, such as {\"x-max-length\": \"100000\"}: whole numbers and "
         "true and false are sent as such, all else as text."},
};

inline constexpr Option kBindingOptions[] = {
    {.name = "exchange", .required = true, .help = "The exchange, which must be there."},
    {.name = "routingKey",
     .help = "Routing key, or its pattern of a topic exchange (\"plant.*.press.#\")."},
    {.name = "arguments",
     .type = OptionType::kMap,
     .help = "Arguments of the binding, for a headers exchange; as those of the queue."},
};

inline constexpr std::string_view kFieldChoices[] = {
    "exchange",    "routingKey",      "redelivered", "messageId", "correlationId", "replyTo",
    "type",        "appId",           "userId",      "priority",  "timestamp",     "expiration",
    "contentType", "contentEncoding", "headers",     "offset"};

inline constexpr auto kOwnSourceOptions = std::to_array<Option>({
    {.name = "queue", .required = true, .help = "The queue to consume.", .example = "\"readings\""},
    {.name = "declare",
     .type = OptionType::kObject,
     .help = "Makes the queue when it is not there, of this kind; one that is there must be of the "
             "same. Without it, the queue must be there.",
     .fields = kDeclareOptions,
     .only_when_given = true},
    {.name = "bindings",
     .type = OptionType::kObjects,
     .help = "Binds the queue to exchanges, each time a connection is made; earlier bindings stay.",
     .fields = kBindingOptions},
    {.name = "prefetch",
     .type = OptionType::kInteger,
     .help =
         "Messages that may wait for their acknowledgement at once. Without it, one for each KiB "
         "of the pipeline's memory, from 100 to 10000.",
     .min = 1,
     .max = 65'535},
    {.name = "exclusive",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "Refuses a queue that somebody else consumes, and keeps others out. Without it they share "
         "its messages."},
    {.name = "priority",
     .type = OptionType::kInteger,
     .help = "Priority of this consumer: those of a lower one get messages only while it is full.",
     .min = -1'000'000,
     .max = 1'000'000},
    {.name = "offset",
     .help = "Of a stream, where to begin when no position is saved: \"first\", \"last\", \"next\" "
             "(what "
             "comes from now on, the default), an offset (\"1234\"), a time "
             "(\"2026-01-02T03:04:05Z\") or an age (\"7D\", \"1h\": Y, M, D, h, m, s)."},
    {.name = "fields",
     .type = OptionType::kStrings,
     .help = "What else of a message becomes a field of that name: its exchange and routingKey, "
             "whether it was redelivered, its properties, its headers (an object), of a stream its "
             "offset. A property that a message lacks is null.",
     .choices = kFieldChoices},
    {.name = "maxMessage",
     .type = OptionType::kBytes,
     .fallback = "1MiB",
     .help =
         "A larger message is not read into memory: it is acknowledged, and its routing key and "
         "size become a dead letter.",
     .min = 1024,
     .max = 536'870'912},
});

// --- the sink -----------------------------------------------------------------------------------

inline constexpr Option kPropertyOptions[] = {
    {.name = "messageId",
     .help = "Template of the message id, such as \"{id}\": readers know by it what comes twice."},
    {.name = "correlationId", .help = "Template of the correlation id."},
    {.name = "replyTo", .help = "Template of the queue for answers."},
    {.name = "type", .help = "Template of the message's type."},
    {.name = "appId", .help = "Template of the application's id."},
    {.name = "contentType",
     .help = "Content type. Without it, application/json, and none with a `payload`."},
    {.name = "priority",
     .type = OptionType::kInteger,
     .help = "Priority in queues that have some.",
     .max = 255},
    {.name = "expiration",
     .type = OptionType::kDuration,
     .help = "How long a message may wait in a queue.",
     .max = 4'294'967'295},
    {.name = "timestamp",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Whether the record's event time goes with the message, in whole seconds."},
};

inline constexpr auto kOwnSinkOptions = std::to_array<Option>({
    {.name = "exchange",
     .help =
         "The exchange to publish to, which must be there. Without it, the default exchange, where "
         "the routing key is the name of a queue."},
    {.name = "routingKey",
     .required = true,
     .help = "Routing key; {name} stands for the value of that field: \"plant.{site}.{device}\".",
     .example = "\"plant.{site}.{device}\""},
    {.name = "payload",
     .help = "Template of the payload, such as \"{temp}\"; {{ and }} stand for braces. Without it, "
             "the record as a JSON object."},
    {.name = "headers",
     .type = OptionType::kMap,
     .help = "Headers of the message, with their templates. One that is a field alone (\"{site}\") "
             "keeps its type; where a record lacks the field, its message lacks the header."},
    {.name = "properties",
     .type = OptionType::kObject,
     .help =
         "Properties of the message. Where a record lacks a field of one, its message lacks it.",
     .fields = kPropertyOptions},
    {.name = "persistent",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Whether a message outlives a restart of the broker in a durable queue."},
    {.name = "mandatory",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Whether a message that no queue is bound for comes back, and becomes a dead letter. "
             "Without it the broker confirms it and drops it."},
    {.name = "window",
     .type = OptionType::kInteger,
     .fallback = "2000",
     .help = "Messages that may wait for the broker's confirmation at once.",
     .min = 1,
     .max = 65'535},
});

template <size_t N, size_t M>
constexpr std::array<Option, N + M + 1> with_urls(const std::array<Option, N>& own,
                                                  const std::array<Option, M>& connection) {
  std::array<Option, N + M + 1> all{};
  all[0] = kUrls;
  for (size_t i = 0; i < N; ++i) all[1 + i] = own[i];
  for (size_t i = 0; i < M; ++i) all[1 + N + i] = connection[i];
  return all;
}

inline constexpr auto kSourceOptions = with_urls(kOwnSourceOptions, kConnectionOptions);
inline constexpr auto kSinkOptions = with_urls(kOwnSinkOptions, kConnectionOptions);

}  // namespace leat::amqp
