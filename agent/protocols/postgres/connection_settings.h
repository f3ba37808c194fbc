// What the options of a sink or source say about its connections, checked as a whole.
#pragma once

#include <string>

#include "base/result.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "options/options.h"
#include "protocols/postgres/url.h"

namespace leat::postgres {

struct ConnectionSettings {
  Url url;
  SslMode sslmode = SslMode::kPrefer;
  bool uses_tls = false;
  TlsVerify verify = TlsVerify::kNothing;
  Options tls;  // of kTlsOptions, with what the URL says about certificates
  Milliseconds connect_timeout{0};

  // Errors are kUsage and begin with the config path.
  static Result<ConnectionSettings> from(const Options& options);
  // Reads the files that they name. Errors are of OptionErrors.
  Status check_files(const Options& options) const;
  // What a person should know about the safety of these, "" when all is well.
  std::string warning() const;
};

// As SourceType and SinkType ask for them.
void warn_of_connection(const Options& options, OptionErrors& warnings);
Status check_connection_files(const Options& options);

}  // namespace leat::postgres
