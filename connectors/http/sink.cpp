#include "stage/sink.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "connectors/http/answer.h"
#include "connectors/http/compressor.h"
#include "connectors/http/options.h"
#include "connectors/http/probe.h"
#include "connectors/http/request_options.h"
#include "loop/handles.h"
#include "net/tls.h"
#include "protocols/http/client.h"

namespace leat {
namespace http {
namespace {

// The slices of a delivery as one document. Slices that lie one behind the other in memory, as
// those of one batch nearly always do, become one buffer.
std::vector<uv_buf_t> document(const Delivery& delivery, const DocumentWrap& wrap) {
  std::vector<uv_buf_t> buffers;
  auto add = [&buffers](const char* data, size_t size) {
    if (size == 0) return;
    if (!buffers.empty() && buffers.back().base + buffers.back().len == data) {
      buffers.back().len += size;
      return;
    }
    uv_buf_t buffer = uv_buf_init(const_cast<char*>(data), 0);  // libuv only reads it
    buffer.len = size;
    buffers.push_back(buffer);
  };
  add(wrap.open.data(), wrap.open.size());
  delivery.each_slice([&add](const Slice& slice) { add(slice.data, slice.size); });
  if (!buffers.empty()) buffers.back().len -= wrap.drop_last;
  add(wrap.close.data(), wrap.close.size());
  return buffers;
}

class HttpSink final : public Sink {
 public:
  HttpSink(RequestConfig config, const Options& options)
      : config_(std::move(config)),
        tls_options_(options.object("tls")),
        connect_timeout_(options.duration("connectTimeout")),
        timeout_(options.duration("timeout")),
        compression_level_(static_cast<int>(options.integer("compressionLevel"))) {}

  Status open(SinkContext& context) override {
    context_ = &context;
    if (Status tls = open_tls(tls_, config_.url.https, tls_options_, context.pipeline()); !tls)
      return tls;
    if (config_.gzip) {
      auto compressor = Compressor::open(context.loop(), context.budget(), compression_level_);
      if (!compressor) return fail(compressor.error());
      compressor_ = std::move(*compressor);
    }
    const WriteFormat* format = context.format();
    probe_ = probe_request(config_);
    head_start_ = head_start(config_, format == nullptr ? "" : format->media);
    client_.emplace(ClientConfig{.loop = context.loop(),
                                 .address = config_.url.address,
                                 .tls = tls_.get(),
                                 .connect_timeout = connect_timeout_,
                                 .timeout = timeout_});
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    auto request = std::make_shared<Request>();
    request->wrap = context_->wrap();
    request->key = delivery.key;
    request->done = std::move(done);
    std::vector<uv_buf_t> body = document(delivery, request->wrap);
    if (!compressor_) return send(std::move(request), body);
    compressor_->compress(std::move(body), [this, request](std::shared_ptr<GzipBody> gzip) {
      request->gzip = std::move(gzip);
      send(request, request->gzip->buffers());
    });
  }

  void close(std::function<void()> closed) override {
    compressor_.reset();
    client_.reset();
    closing_.emplace(context_->loop());
    closing_->start_next_turn(std::move(closed));
  }

 private:
  // What a request points into, kept until it is answered.
  struct Request {
    DocumentWrap wrap;
    std::string key;
    std::string head;
    std::shared_ptr<GzipBody> gzip;
    Done done;
  };

  void send(std::shared_ptr<Request> request, const std::vector<uv_buf_t>& body) {
    size_t length = 0;
    for (const uv_buf_t& buffer : body) length += buffer.len;
    request->head = head_start_;
    append_head_end(request->head, length, request->key);

    std::vector<uv_buf_t> message;
    message.reserve(body.size() + 1);
    message.push_back(
        uv_buf_init(request->head.data(), static_cast<unsigned>(request->head.size())));
    message.insert(message.end(), body.begin(), body.end());
    log::debug(context_->pipeline(),
               [this, length] { return config_.shown() + ": " + format_count(length, "byte"); });
    client_->send(std::move(message), [this, request](Exchanged exchanged) {
      const Result<Response>& response = exchanged.response;
      log::debug(context_->pipeline(), [this, &response] {
        return config_.shown() + ": " +
               (response ? std::to_string(response->status) : response.error().message());
      });
      Answer answer = answer_to(response);
      // The compressed body is not needed for an answer, and its memory may be needed for the next.
      request->gzip.reset();
      if (exchanged.cut_off) return probe(request, std::move(answer));
      request->done(std::move(answer));  // may destroy this
    });
  }

  // Is the server well otherwise? What stands before a dead one (a tunnel, a balancer) takes
  // connections, too, and closes them: then it would look as if each body were to blame.
  void probe(std::shared_ptr<Request> request, Answer answer) {
    request->head = probe_;
    uv_buf_t message =
        uv_buf_init(request->head.data(), static_cast<unsigned>(request->head.size()));
    client_->send({message}, [request = std::move(request),
                              answer = std::move(answer)](Exchanged exchanged) mutable {
      if (proves_health(exchanged.response))
        answer = Answer::cut_off(std::move(answer.reason));
      else if (exchanged.cut_off)
        answer.reason += ", nor is OPTIONS answered";
      request->done(std::move(answer));  // may destroy the sink
    });
  }

  Answer answer_to(const Result<Response>& response) const {
    if (!response) return Answer::retry(config_.shown() + ": " + response.error().message());
    return answer_for(config_, *response, context_->loop().clock().unix_us() / 1'000'000);
  }

  const RequestConfig config_;
  const Options tls_options_;
  const Milliseconds connect_timeout_;
  const Milliseconds timeout_;
  const int compression_level_;
  SinkContext* context_ = nullptr;
  std::string head_start_;
  std::string probe_;
  std::unique_ptr<TlsContext> tls_;  // outlives the client
  std::unique_ptr<Compressor> compressor_;
  std::optional<Client> client_;
  std::optional<Timer> closing_;
};

Result<std::unique_ptr<Sink>> make(const Options& options) {
  Result<RequestConfig> config = request_config(options);
  if (!config) return fail(config.error());
  return std::make_unique<HttpSink>(std::move(*config), options);
}

Status check_files(const Options& options) {
  Result<Url> url = Url::parse(options.string("url"));
  return url && url->https ? TlsContext::check(options.object("tls")) : Status();
}

}  // namespace
}  // namespace http

extern constexpr SinkType kHttpSink{
    .name = "http",
    .help =
        "Sends each batch as one HTTP request. Retries what the server cannot take now, and "
        "splits what it refuses until the bad records stand alone.",
    .consumes = Consumes::kSlices,
    .options = http::kSinkOptions,
    .default_format = "ndjson",
    .max_in_flight = 64,
    .default_in_flight = 2,
    // A request costs some 40 us of CPU, so that those that are not full take 1 to 2 % at most.
    .batch = {.spacing = Milliseconds{3}},
    .sends_keys = true,
    .make = http::make,
    .check_files = http::check_files,
#ifdef LEAT_TOOLS
    .probe = http::probe,
#endif
};

}  // namespace leat
