#include "connectors/http/probe.h"

#include <string>
#include <utility>

#include "net/stream.h"
#include "net/tls.h"
#include "protocols/http/url.h"

namespace leat::http {
namespace {

class HttpProbe final : public PeerProbe, private StreamListener {
 public:
  HttpProbe(Loop& loop, const Url& url, std::unique_ptr<TlsContext> tls, Milliseconds timeout,
            Probed done)
      : shown_(url.shown), done_(std::move(done)), tls_(std::move(tls)), stream_(loop, *this) {
    stream_.connect(url.address, timeout, tls_.get());
  }

 private:
  void on_connected(Status status) override {
    if (!status)
      return done_(fail(status.error().kind(), shown_ + ": " + status.error().message()));
    done_(shown_ + (tls_ == nullptr ? ": connected" : ": connected, TLS is well"));
  }
  void on_data(std::span<const char>) override {}
  void on_closed(Status) override {}

  const std::string shown_;
  const Probed done_;
  std::unique_ptr<TlsContext> tls_;  // outlives the stream
  Stream stream_;
};

}  // namespace

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done) {
  Result<Url> url = Url::parse(options.string("url"));
  if (!url) return probe_that_failed(context.loop, url.error(), std::move(done));
  std::unique_ptr<TlsContext> tls;
  if (Status opened = open_tls(tls, url->https, options.object("tls"), context.pipeline); !opened)
    return probe_that_failed(context.loop, opened.error(), std::move(done));
  return std::make_unique<HttpProbe>(context.loop, *url, std::move(tls),
                                     options.duration("connectTimeout"), std::move(done));
}

}  // namespace leat::http
