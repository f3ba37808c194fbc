// What the options of a sink or source say about its connections, checked as a whole.
#pragma once

#include "base/result.h"
#include "base/units.h"
#include "connectors/mysql/url.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "options/options.h"

namespace leat::mysql {

struct ConnectionSettings {
  Url url;
  bool uses_tls = false;
  TlsVerify verify = TlsVerify::kNothing;
  Options tls;  // of kTlsOptions
  Milliseconds connect_timeout{10'000};
  Milliseconds timeout{600'000};  // of the server's silence

  // Errors are kUsage and begin with the config path.
  static Result<ConnectionSettings> from(const Options& options);
};

// As SourceType and SinkType ask for them.
void warn_of_connection(const Options& options, OptionErrors& warnings);
Status check_connection_files(const Options& options);

}  // namespace leat::mysql
