// The cipher suites of TLS, in the order in which a client offers them: most servers take the
// first.
#pragma once

namespace leat {

// As mbedtls_ssl_conf_ciphersuites() takes them: with a 0 behind the last, and there for ever.
const int* tls_suites();

}  // namespace leat
