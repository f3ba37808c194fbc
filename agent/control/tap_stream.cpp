#include "control/tap_stream.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/text.h"

namespace leat {
namespace {

constexpr size_t kMostWaiting = 256 * 1024;  // bytes, on either side of the hand-over

// Between the two loops.
class TapStream : public std::enable_shared_from_this<TapStream> {
 public:
  TapStream(Loop& home, std::string pipeline, std::shared_ptr<http::Responder> responder)
      : home_(home), pipeline_(std::move(pipeline)), responder_(std::move(responder)) {}

  // The pipeline's loop.
  bool give(std::string line) {
    std::lock_guard lock(mutex_);
    if (lines_.size() > kMostWaiting) return false;
    lines_ += std::move(line) += '\n';
    if (!std::exchange(posted_, true))
      home_.post([self = shared_from_this()] { self->hand_over(); });
    return true;
  }
  void no_more() {
    home_.post([self = shared_from_this()] { self->end(); });
  }

  // Home.
  void begun(const Status& status) {
    if (begun_) return begun_again(status);
    if (!status) return refuse(400, status.error().message());
    begun_ = true;
    responder_->begin(200, "application/x-ndjson");
    responder_->send("\n");  // so that the client knows
  }
  void refuse(int status, const std::string& why) {
    if (std::exchange(over_, true)) return;
    responder_->reply(status, "text/plain; charset=utf-8", why + "\n");
  }
  void forget() { over_ = true; }

 private:
  // Another run of the pipeline.
  void begun_again(const Status& status) {
    hand_over();
    if (over_) return;
    if (status) return responder_->send("{\"restarted\":true}\n");
    responder_->send("{\"ended\":" + json_quoted(status.error().message()) + "}\n");
    end();
  }
  void hand_over() {
    std::string lines;
    {
      std::lock_guard lock(mutex_);
      posted_ = false;
      lines.swap(lines_);
    }
    if (over_ || !begun_) return;
    if (responder_->waiting() > kMostWaiting) {
      skipped_ += static_cast<uint64_t>(std::ranges::count(lines, '\n'));
      return;
    }
    if (skipped_ > 0) lines += "{\"skipped\":" + std::to_string(std::exchange(skipped_, 0)) + "}\n";
    responder_->send(std::move(lines));
  }
  void end() {
    hand_over();
    if (!begun_) return refuse(409, pipeline_ + ": does not run");
    if (!std::exchange(over_, true)) responder_->end();
  }

  Loop& home_;
  const std::string pipeline_;
  const std::shared_ptr<http::Responder> responder_;  // home's
  bool begun_ = false;
  bool over_ = false;
  uint64_t skipped_ = 0;
  std::mutex mutex_;  // guards the next two: a sample, never the data itself
  std::string lines_;
  bool posted_ = false;
};

class Lines final : public TapLines {
 public:
  explicit Lines(std::shared_ptr<TapStream> stream) : stream_(std::move(stream)) {}
  ~Lines() override { stream_->no_more(); }
  bool give(std::string line) override { return stream_->give(std::move(line)); }

 private:
  const std::shared_ptr<TapStream> stream_;
};

}  // namespace

uint64_t next_tap_id() {
  static uint64_t last = 0;
  return ++last;
}

void stream_tap(Supervisor& supervisor, const std::string& pipeline,
                const http::ServerRequest& request, std::shared_ptr<http::Responder> responder) {
  const uint64_t id = next_tap_id();
  TapRequest wanted{.at = std::string(request.parameter("at")),
                    .where = std::string(request.parameter("where")),
                    .dropped = request.parameter("dropped") == "1"};
  if (std::string rate(request.parameter("rate")); !rate.empty())
    wanted.rate = static_cast<int>(
        std::clamp(std::strtol(rate.c_str(), nullptr, 10), 1L, static_cast<long>(kMostTapRate)));
  auto stream = std::make_shared<TapStream>(supervisor.loop(), pipeline, responder);
  responder->on_gone([&supervisor, pipeline, id, weak = std::weak_ptr<TapStream>(stream)] {
    if (auto gone = weak.lock()) gone->forget();
    supervisor.untap(pipeline, id);
  });
  Status asked = supervisor.tap(pipeline, id, std::move(wanted), std::make_shared<Lines>(stream),
                                [stream](const Status& status) { stream->begun(status); });
  if (!asked) stream->refuse(409, asked.error().message());
}

}  // namespace leat
