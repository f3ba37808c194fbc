// TLS for connectors: the `tls` options, and what all connections of one connector share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/options.h"

namespace leat {

inline constexpr Option kTlsOptions[] = {
    {.name = "ca",
     .help = "File with the certificates (PEM) of the authorities to trust. Without it, those of "
             "the system.",
     .path = true},
    {.name = "cert",
     .help = "File with the client certificate (PEM), followed by its intermediates.",
     .path = true},
    {.name = "key",
     .help = "File with the unencrypted private key (PEM) of the client certificate.",
     .path = true},
    {.name = "verify",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Refuse a server whose certificate does not prove its name. Without this anybody on "
             "the way can read and change the data."},
    {.name = "serverName",
     .help = "Name to ask for (SNI) and to expect in the server's certificate. Without it, the "
             "host of the URL."},
};

// Of who listens.
inline constexpr Option kTlsServerOptions[] = {
    {.name = "cert",
     .help = "File with the certificate (PEM), followed by its intermediates. ECDSA costs a small "
             "machine far less than RSA.",
     .path = true},
    {.name = "key",
     .help = "File with the unencrypted private key (PEM) of the certificate.",
     .path = true},
    {.name = "ca",
     .help = "File with the certificates (PEM) of authorities: who connects must then have a "
             "certificate of one of them.",
     .path = true},
};

// What of the server's certificate is checked, for protocols that know more than on and off.
enum class TlsVerify {
  kAsOptions,  // the `verify` option says: chain and name, or nothing (with a warning in the log)
  kChain,      // only that it leads to an authority, whatever its name
  kNothing,    // the caller has warned
};

// Certificates, keys and the last session, shared by the connections of one connector. TLS 1.2
// or 1.3. Files that have changed are read again for the next connection: certificates are renewed
// while leat runs. When they cannot be used, what was read before serves on, and the log says so.
//
// Thread: the loop's thread. Lifetime: outlives every Stream that was given it.
class TlsContext {
 public:
  // Reads the files that `options` (a set of kTlsOptions) names. Errors are kUsage and begin with
  // the config path. `scope` is the pipeline for the warning that verification is off.
  static Result<std::unique_ptr<TlsContext>> open(const Options& options, std::string_view scope,
                                                  TlsVerify verify = TlsVerify::kAsOptions);
  // The other side: for connections that were accepted. `options` is a set of kTlsServerOptions.
  static Result<std::unique_ptr<TlsContext>> open_server(const Options& options,
                                                         std::string_view scope);
  // What is wrong with the files that the options of such a context name, all of it: they are read
  // and let go of. Errors are of OptionErrors.
  static Status check(const Options& options, TlsVerify verify = TlsVerify::kAsOptions);
  static Status check_server(const Options& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Parts;
  TlsContext(const Options& options, std::string_view scope, TlsVerify verify, bool is_server);
  static Result<std::unique_ptr<TlsContext>> make(std::unique_ptr<TlsContext> context);
  bool verifies() const;
  Status name_files();
  Result<std::shared_ptr<Parts>> load();
  Status load_files(Parts& parts, bool named_only) const;
  Status check_named();
  bool files_changed() const;
  std::shared_ptr<Parts> current_parts();

  const Options options_;
  const std::string scope_;
  const TlsVerify verify_;
  const bool is_server_;
  std::vector<std::string> files_;              // what options_ names, and the system's authorities
  std::vector<std::array<int64_t, 7>> stamps_;  // of files_, when they were read last
  std::shared_ptr<Parts> parts_;
};

// For a connector whose URL says whether there is TLS: into `context`, where it is `wanted`.
Status open_tls(std::unique_ptr<TlsContext>& context, bool wanted, const Options& options,
                std::string_view scope, TlsVerify verify = TlsVerify::kAsOptions);

}  // namespace leat
