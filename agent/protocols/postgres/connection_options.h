// The options of a connection to a PostgreSQL server: the same wherever one is configured
// (connection_settings.h).
#pragma once

#include "net/tls.h"
#include "options/options.h"

namespace leat::postgres {

inline constexpr Option kUrlOption{
    .name = "url",
    .required = true,
    .secret = true,
    .help =
        "The database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, as "
        "libpq reads it.",
    .example = "\"postgresql://leat@db.example/plant?sslmode=verify-full\""};
inline constexpr Option kConnectTimeoutOption{
    .name = "connectTimeout",
    .type = OptionType::kDuration,
    .fallback = "10s",
    .help =
        "For resolving the name, connecting, TLS and authentication together. connect_timeout "
        "in the URL goes before it.",
    .min = 1};
inline constexpr Option kTlsOption{
    .name = "tls",
    .type = OptionType::kObject,
    .help =
        "Certificates. What is checked is said by sslmode in the URL, and \"verify\" must stay "
        "as it is.",
    .fields = kTlsOptions,
    .only_when_given = true};

}  // namespace leat::postgres
