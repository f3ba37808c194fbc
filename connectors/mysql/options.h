// Options that source and sink have in common.
#pragma once

#include "net/tls.h"
#include "options/options.h"

namespace leat::mysql {

inline constexpr Option kUrlOption{
    .name = "url",
    .required = true,
    .secret = true,
    .help =
        "The database: mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl-mode=VERIFY_IDENTITY, or "
        "REQUIRED, VERIFY_CA, DISABLED; or ?socket=PATH. VERIFY_IDENTITY where it is not said, but "
        "on this machine, and with a socket, DISABLED.",
    .example = "\"mysql://leat@db.example/plant\""};
inline constexpr Option kConnectTimeoutOption{
    .name = "connectTimeout",
    .type = OptionType::kDuration,
    .fallback = "10s",
    .help = "For connecting, TLS and authentication, each.",
    .min = 1000,
    .max = 3'600'000};
inline constexpr Option kTlsOption{
    .name = "tls",
    .type = OptionType::kObject,
    .help =
        "Certificates. What is checked is said by ssl-mode in the URL, and \"verify\" must stay "
        "as it is.",
    .fields = kTlsOptions,
    .only_when_given = true};

}  // namespace leat::mysql
