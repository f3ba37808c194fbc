// The cipher suites of TLS in another order than mbedTLS's. A client offers them in it, and most
// servers take the first that they know.
#pragma once

namespace leat {

// For processors with instructions for AES: mbedTLS begins with ChaCha20, which is the faster one
// without. As mbedtls_ssl_conf_ciphersuites() takes them: with a 0 behind the last, and there for
// ever.
const int* aes_gcm_first();

}  // namespace leat
