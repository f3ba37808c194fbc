// Certificates and keys as files that people write and renew. Internal to net/.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace leat {

// A file as `stat` shows it: another file, or the same one written again, differs.
using FileStamp = std::array<int64_t, 7>;
FileStamp stamp_of(const std::string& path);

// The file of the authorities that the system trusts. `option` is the path for the error.
Result<std::string> system_authorities(const std::string& option);

// True for mbedTLS's codes for kinds of keys and signatures that it does not know.
bool is_unknown_algorithm(int code);

// Parses a PEM file; all errors are a problem of `option`, its path. What was read is added to
// `digest`, a hash of all that was read before.
Status load_certificates(mbedtls_x509_crt& into, const std::string& option, const std::string& path,
                         std::string& digest);
Status load_key(mbedtls_pk_context& into, const std::string& option, const std::string& path,
                std::string& digest);

}  // namespace leat
