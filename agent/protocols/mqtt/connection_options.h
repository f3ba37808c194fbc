// The options of a connection to a broker: the same wherever one is configured.
#pragma once

#include <array>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"
#include "options/options.h"
#include "protocols/mqtt/session.h"

namespace leat::mqtt {

inline constexpr std::string_view kVersions[] = {"5", "3.1.1", "auto"};

inline constexpr Option kUrl = {
    .name = "url",
    .required = true,
    .help =
        "The broker: mqtt://host:1883, mqtts://host:8883 (TLS) or unix:///path. The ports are "
        "the defaults; an IPv6 address stands in [ ].",
    .example = "\"mqtt://broker.example:1883\""};

inline constexpr Option kVersionOption = {
    .name = "version",
    .fallback = "auto",
    .help =
        "Version of the protocol. \"auto\" is 5, and 3.1.1 with a broker that says it does "
        "not speak 5.",
    .choices = kVersions};
inline constexpr Option kUserOption = {.name = "user", .help = "User name."};
inline constexpr Option kPasswordOption = {
    .name = "password", .secret = true, .help = "Password of the user."};
inline constexpr Option kKeepAliveOption = {
    .name = "keepAlive",
    .type = OptionType::kDuration,
    .fallback = "60s",
    .help =
        "After so long without a packet the broker takes the connection for lost; leat sends a "
        "ping before that. Whole seconds; 0s: never.",
    .max = 65'535'000};
inline constexpr Option kConnectTimeoutOption = {
    .name = "connectTimeout",
    .type = OptionType::kDuration,
    .fallback = "10s",
    .help = "For resolving the name, connecting and the TLS handshake together.",
    .min = 1};
inline constexpr Option kTimeoutOption = {.name = "timeout",
                                          .type = OptionType::kDuration,
                                          .fallback = "30s",
                                          .help = "For the broker's answers.",
                                          .min = 1};
inline constexpr Option kTlsOption = {
    .name = "tls",
    .type = OptionType::kObject,
    .help = "How the broker is verified, and the client certificate; for mqtts:// only.",
    .fields = kTlsOptions,
    .only_when_given = true};

// What those of a table with all of them, and `clientId`, mean; the client id is left as it was
// given. Errors are of OptionErrors.
Result<SessionConfig> session_config(const Options& options);

// Whether the files that they name can be used.
Status check_files(const Options& options);

// The client id where none was given. The same after each restart, since the broker finds the
// session by it.
std::string default_client_id(std::string_view agent, std::string_view what,
                              std::string_view suffix = "");

}  // namespace leat::mqtt
