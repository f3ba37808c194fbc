// TLS for connectors: the `tls` options, and what all connections of one connector share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"

namespace leat {

inline constexpr Option kTlsOptions[] = {
    {.name = "ca",
     .help = "File with the certificates (PEM) of the authorities to trust. Without it, those of "
             "the system."},
    {.name = "cert",
     .help = "File with the client certificate (PEM), followed by its intermediates."},
    {.name = "key",
     .help = "File with the unencrypted private key (PEM) of the client certificate."},
    {.name = "verify",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Refuse a server whose certificate does not prove its name. Without this anybody on "
             "the way can read and change the data."},
    {.name = "serverName",
     .help = "Name to ask for (SNI) and to expect in the server's certificate. Without it, the "
             "host of the URL."},
};

// What of the server's certificate is checked, for protocols that know more than on and off.
enum class TlsVerify {
  kAsOptions,  // the `verify` option says: chain and name, or nothing (with a warning in the log)
  kChain,      // only that it leads to an authority, whatever its name
  kNothing,    // the caller has warned
};

// Certificates, keys, random numbers and the last session, shared by the connections of one
// connector: the authorities are read and parsed once. TLS 1.2 or later.
//
// Thread: the loop's thread. Lifetime: outlives every Stream that was given it.
class TlsContext {
 public:
  // Reads the files that `options` (a set of kTlsOptions) names. Errors are kUsage and begin with
  // the config path. `scope` is the pipeline for the warning that verification is off.
  static Result<std::unique_ptr<TlsContext>> open(const Options& options, std::string_view scope,
                                                  TlsVerify verify = TlsVerify::kAsOptions);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Parts;
  explicit TlsContext(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace leat
