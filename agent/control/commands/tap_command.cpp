#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "control/commands/functions.h"
#include "control/supervisor.h"
#include "control/tap_stream.h"

namespace leat::control {
namespace {

constexpr size_t kMostBytes = 256 * 1024;
constexpr uint64_t kSeconds = 10;
constexpr uint64_t kMostSeconds = 60;
constexpr uint64_t kRecords = 100;
constexpr uint64_t kMostRecords = 1'000;

// What passes until the time is over, enough has come, or the pipeline ends.
class Sample : public std::enable_shared_from_this<Sample> {
 public:
  Sample(Supervisor& supervisor, std::string pipeline, uint64_t id, uint64_t records, Reply reply)
      : supervisor_(supervisor),
        pipeline_(std::move(pipeline)),
        id_(id),
        most_(records),
        reply_(std::move(reply)),
        timer_(std::make_unique<Timer>(supervisor.loop())) {}

  // The pipeline's loop.
  bool give(std::string line) {
    std::lock_guard lock(mutex_);
    if (count_ == most_ || lines_.size() + line.size() > kMostBytes) return false;
    lines_ += std::move(line) += '\n';
    if (++count_ == most_) end_later();
    return true;
  }
  void end_later() {
    supervisor_.loop().post([self = shared_from_this()] { self->end(); });
  }

  // Home. Again for each run that takes the place of another: the time goes on, and when that one
  // has no such stage what was seen of the others is given.
  void begun(const Status& status, Milliseconds time) {
    if (timer_ == nullptr) return;
    const bool again = std::exchange(begun_, true);
    if (!status)
      return again ? end() : refuse(failed(Fault::kBadRequest, status.error().message()));
    if (!again) timer_->start(time, [self = shared_from_this()] { self->end(); });
  }
  void refuse(const Answer& why) {
    if (std::exchange(timer_, nullptr) != nullptr) reply_(why);
  }

 private:
  void end() {
    const auto self = shared_from_this();  // the timer may hold the last of it
    if (std::exchange(timer_, nullptr) == nullptr) return;
    supervisor_.untap(pipeline_, id_);
    std::lock_guard lock(mutex_);
    reply_(succeeded(lines_));
  }

  Supervisor& supervisor_;
  const std::string pipeline_;
  const uint64_t id_;
  const uint64_t most_;
  const Reply reply_;
  std::unique_ptr<Timer> timer_;  // null: it is answered
  bool begun_ = false;
  std::mutex mutex_;  // guards the next two
  std::string lines_;
  uint64_t count_ = 0;
};

class Lines final : public TapLines {
 public:
  explicit Lines(std::shared_ptr<Sample> sample) : sample_(std::move(sample)) {}
  ~Lines() override { sample_->end_later(); }
  bool give(std::string line) override { return sample_->give(std::move(line)); }

 private:
  const std::shared_ptr<Sample> sample_;
};

uint64_t bounded(const Request& request, std::string_view name, uint64_t usual, uint64_t most) {
  return request.has(name) ? std::clamp<uint64_t>(request.number(name), 1, most) : usual;
}

}  // namespace

void tap_for_a_while(const Targets& targets, const Request& request, const Reply& reply) {
  const std::string& pipeline = request.text("pipeline");
  const uint64_t id = next_tap_id();
  const Milliseconds time{1'000 * bounded(request, "seconds", kSeconds, kMostSeconds)};
  auto sample = std::make_shared<Sample>(
      targets.supervisor, pipeline, id, bounded(request, "records", kRecords, kMostRecords), reply);
  TapRequest wanted{.at = request.text("at"),
                    .where = request.text("where"),
                    .dropped = request.flag("dropped"),
                    .rate = static_cast<int>(bounded(request, "rate", 10, kMostTapRate))};
  const Status asked =
      targets.supervisor.tap(pipeline, id, std::move(wanted), std::make_shared<Lines>(sample),
                             [sample, time](const Status& status) { sample->begun(status, time); });
  if (!asked) sample->refuse(failed(asked.error()));
}

}  // namespace leat::control
