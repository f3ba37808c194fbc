// The options of the http connector.
#pragma once

#include <string_view>

#include "net/tls.h"
#include "options/options.h"

namespace leat::http {

inline constexpr std::string_view kMethods[] = {"POST", "PUT", "PATCH"};
inline constexpr std::string_view kCompressions[] = {"none", "gzip"};

inline constexpr Option kAuthOptions[] = {
    {.name = "user", .help = "User name, sent with \"password\" as basic authentication."},
    {.name = "password", .secret = true, .help = "Password of the user."},
    {.name = "token", .secret = true, .help = "Token, sent as bearer authentication."},
};

inline constexpr Option kSinkOptions[] = {
    {.name = "url",
     .required = true,
     .help = "Where to send to: http:// or https://, with path and query.",
     .example = "\"https://collector.example/ingest\""},
    {.name = "method", .fallback = "POST", .help = "Request method.", .choices = kMethods},
    {.name = "headers",
     .type = OptionType::kMap,
     .help = "Further request headers. Content-Type and User-Agent can be replaced; headers that "
             "frame the message cannot.",
     .masked = true},
    {.name = "auth",
     .type = OptionType::kObject,
     .help = "Credentials: either a user and a password, or a token.",
     .fields = kAuthOptions},
    {.name = "compression",
     .fallback = "none",
     .help = "Compresses request bodies; the server must understand Content-Encoding: gzip.",
     .choices = kCompressions},
    {.name = "compressionLevel",
     .type = OptionType::kInteger,
     .fallback = "6",
     .help = "From 1 (least CPU) to 9 (smallest).",
     .min = 1,
     .max = 9},
    {.name = "connectTimeout",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "For resolving the name, connecting and the TLS handshake together.",
     .min = 1},
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "From the first byte of a request to the last byte of its answer.",
     .min = 1},
    {.name = "tls",
     .type = OptionType::kObject,
     .help = "How the server is verified, and the client certificate; for https:// only.",
     .fields = kTlsOptions,
     .only_when_given = true},
};

}  // namespace leat::http
