// Reads frames from a serial line; each is one message.
//
// One read of the kernel's buffer a turn of the loop, so a flood keeps nobody from it. Frames that
// come within a few milliseconds travel together: a batch for each would cost more than it carries.
#include <memory>
#include <optional>
#include <utility>

#include "base/rate_limited_log.h"
#include "connectors/serial/device.h"
#include "connectors/serial/framer.h"
#include "connectors/serial/marked_input.h"
#include "connectors/serial/options.h"
#include "connectors/serial/poller.h"
#include "connectors/serial/ports.h"
#include "connectors/serial/probe.h"
#include "loop/handles.h"
#include "stage/source.h"

namespace leat {
namespace serial {
namespace {

// Less than the 16 ms for which a common USB adapter holds bytes back.
constexpr Milliseconds kGather{10};
constexpr size_t kMostFrames = 4096;  // in a batch

class SerialSource final : public Source,
                           private DeviceListener,
                           private MarkListener,
                           private FrameListener {
 public:
  explicit SerialSource(Settings settings)
      : settings_(std::move(settings)), framer_(settings_.frames) {}

  Status open(SourceContext& context) override {
    context_ = &context;
    run_ = std::make_unique<Run>(*this, context);
    run_->device.start();
    return {};
  }

  void resume() override {
    if (!run_ || !std::exchange(starved_, false) || !have_batch()) return;
    run_->device.release();
    if (std::exchange(silence_due_, false)) fell_silent();
    if (run_->device.is_open()) run_->poller.resume();
  }

  void stop(std::function<void()> closed) override {
    flush();
    batch_.reset();
    note_half_frame();
    for (RateLimitedLog* said :
         {&run_->timeouts, &run_->half_frames, &run_->line_errors, &run_->stray_bytes})
      said->finish();
    run_.reset();
    closed();
  }

  // Nobody can ask a serial line for what it sent before.
  SavedPosition saved_position(const Position&) override { return {}; }
  std::string describe(const Position& position) override {
    return settings_.port + ": frame " + std::to_string(position.line);
  }

 private:
  // What lives between open() and stop().
  struct Run {
    Run(SerialSource& source, SourceContext& context)
        : device(context.loop(), context.pipeline(), source.settings_, source),
          poller(
              context.loop(), source.settings_.poll, [&source] { return source.send_request(); },
              [&source] { source.timed_out(); }),
          gather(context.loop()),
          silence(context.loop()),
          timeouts(context.loop().clock(), context.pipeline(),
                   source.settings_.port + ": no complete answer within poll.timeout"),
          half_frames(context.loop().clock(), context.pipeline(),
                      source.settings_.port + ": half a frame was dropped when the line closed"),
          line_errors(context.loop().clock(), context.pipeline(),
                      source.settings_.port +
                          ": a break, or a byte with a parity or framing error, was received"),
          stray_bytes(context.loop().clock(), context.pipeline(),
                      source.settings_.port + ": a byte outside frames was skipped") {}
    Device device;
    Poller poller;
    Timer gather;
    Timer silence;
    RateLimitedLog timeouts;
    RateLimitedLog half_frames;
    RateLimitedLog line_errors;
    RateLimitedLog stray_bytes;
  };

  // --- the device ---

  void on_opened() override { run_->poller.start(); }

  void on_readable() override {
    if (have_batch()) take(run_->device.read());
  }

  void on_lost() override {
    run_->poller.stop();
    run_->silence.stop();
    silence_due_ = false;
    note_half_frame();
    flush();
  }

  // Takes the credit for what will be read; without any, the line is held until resume().
  bool have_batch() {
    if (!batch_) batch_ = context_->new_batch(Content::kSlices);
    if (batch_) return true;
    starved_ = true;
    run_->device.hold();
    run_->poller.pause();
    return false;
  }

  void take(std::string_view bytes) {
    if (bytes.empty()) return;
    bytes_read_ += bytes.size();
    marked_.decode(bytes, *this);
    settle();
    if (settings_.gap.count() > 0) {
      if (framer_.inside()) {
        run_->silence.start(settings_.gap, [this] { fell_silent(); });
      } else {
        run_->silence.stop();
      }
    }
    context_->progress(bytes_read_, std::nullopt);
  }

  void fell_silent() {
    if (!have_batch()) {
      silence_due_ = true;
      return;
    }
    // When the loop was late, the next bytes may be here already: then it was not silent for sure.
    std::string_view bytes = run_->device.read();
    if (!bytes.empty()) return take(bytes);
    framer_.silence(*this);
    settle();
  }

  void note_half_frame() {
    if (framer_.inside()) run_->half_frames.note();
    framer_.drop();
    marked_.reset();
  }

  // --- poll ---

  bool send_request() {
    if (!have_batch()) return false;
    run_->device.write(settings_.poll.request);
    return true;
  }

  void timed_out() {
    run_->timeouts.note();
    run_->device.stop_writing();
    // Half an answer must not become the beginning of the next one.
    if (!framer_.inside()) return;
    run_->silence.stop();
    if (!have_batch()) return note_half_frame();
    framer_.give_up(*this, "the answer was not complete within poll.timeout");
    settle();
  }

  // --- what MarkedInput says ---

  void on_bytes(std::string_view bytes) override { framer_.feed(bytes, *this); }
  void on_damaged(char byte) override {
    run_->line_errors.note();
    framer_.feed_damaged(byte, *this);
  }
  void on_break() override {
    // With parity, this may as well be a zero byte that belongs to a frame.
    if (settings_.line.parity != Parity::kNone) return on_damaged('\0');
    run_->line_errors.note();
    framer_.feed_break(*this);
  }

  // --- frames ---

  void on_frame(std::string_view frame) override {
    auto [offset, line] = count(frame.size());
    std::string_view kept = batch_->arena.copy(frame);
    batch_->slices.push_back({kept.data(), static_cast<uint32_t>(kept.size()), offset, line});
  }

  void on_bad_frame(std::string_view bytes, std::string_view why) override {
    auto [offset, line] = count(bytes.size());
    batch_->rejected.push_back({batch_->arena.copy(bytes), batch_->arena.copy(why), line});
  }

  size_t frames_in_batch() const { return batch_->slices.size() + batch_->rejected.size(); }

  // Ends of the frame, relative to the batch. An offset counts the bytes of frames, and one more
  // for each: what a frame's markers are does not matter to anybody.
  std::pair<uint32_t, uint32_t> count(size_t size) {
    if (frames_in_batch() == 0) {
      batch_->begin = {0, offset_, frames_};
      batch_->arrival_us = context_->loop().clock().unix_us();
      run_->gather.start(kGather, [this] { flush(); });
    }
    offset_ += size + 1;
    ++frames_;
    bytes_in_batch_ += size;
    return {static_cast<uint32_t>(offset_ - batch_->begin.offset),
            static_cast<uint32_t>(frames_ - batch_->begin.line)};
  }

  // After frames may have come.
  void settle() {
    uint64_t stray = framer_.stray_bytes();
    run_->stray_bytes.note(stray - std::exchange(stray_seen_, stray));
    if (!batch_) return;
    if (frames_ > std::exchange(frames_answered_, frames_)) run_->poller.answered();
    if (bytes_in_batch_ >= context_->batch_bytes() || frames_in_batch() >= kMostFrames) flush();
  }

  void flush() {
    if (!batch_ || frames_in_batch() == 0) return;
    run_->gather.stop();
    bytes_in_batch_ = 0;
    batch_->end = {0, offset_, frames_};
    context_->emit(std::exchange(batch_, {}));
  }

  const Settings settings_;
  SourceContext* context_ = nullptr;
  std::unique_ptr<Run> run_;
  MarkedInput marked_;
  Framer framer_;

  BatchRef batch_;  // credit for what is read next; may hold frames that wait for others
  size_t bytes_in_batch_ = 0;
  uint64_t offset_ = 0;
  uint64_t frames_ = 0;           // good and bad
  uint64_t frames_answered_ = 0;  // the poller knows of these
  uint64_t stray_seen_ = 0;
  uint64_t bytes_read_ = 0;
  bool starved_ = false;      // resume() must come before anything is read
  bool silence_due_ = false;  // the line fell silent meanwhile
};

}  // namespace
}  // namespace serial

extern const SourceType kSerialSource{
    .name = "serial",
    .help =
        "Reads frames from a serial port, or asks a device for them; waits for ports that are "
        "not there.",
    .produces = Produces::kSlices,
    .replay = replays<Replay::kNone>,
    .options = serial::kSourceOptions,
    .default_format = "lines",
    .bounded = [](const Options&) { return false; },
    .make = [](const Options& options) -> Result<std::unique_ptr<Source>> {
      Result<serial::Settings> settings = serial::read_settings(options);
      if (!settings) return fail(settings.error());
      return std::unique_ptr<Source>(std::make_unique<serial::SerialSource>(*std::move(settings)));
    },
#ifdef LEAT_TOOLS
    .probe = serial::probe,
#endif
    .ports = serial::list_ports};

}  // namespace leat
