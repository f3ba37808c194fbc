// Writes records to files. The work is done on libuv's thread pool (series_writer.h), since disks
// block; this file is what stands on the loop, and sees to it that one thing is done at a time.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/folder.h"
#include "base/lifetime.h"
#include "base/log.h"
#include "connectors/file/probe.h"
#include "loop/handles.h"
#include "loop/pool.h"
#include "options/option_errors.h"
#include "series_writer.h"
#include "stage/sink.h"

namespace leat {
namespace {

constexpr Option kRotateOptions[] = {
    {.name = "bytes",
     .type = OptionType::kBytes,
     .help = "Begin a new file when the next record would make it larger than this.",
     .min = 1},
    {.name = "age",
     .type = OptionType::kDuration,
     .help = "Begin a new file when its first record was written this long ago.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
};

constexpr Option kOptions[] = {
    {.name = "path",
     .required = true,
     .help = "The file. While it is written its name ends in \".part\". Its folder must exist.",
     .path = true,
     .example = "\"/var/lib/leat/out.ndjson\"",
     .once = "each would write over what the other has written"},
    {.name = "rotate",
     .type = OptionType::kObject,
     .help = "When to begin a new file. Each then has the time and a number in its name: "
             "out-20260102T030405Z-0001.ndjson.",
     .fields = kRotateOptions},
    {.name = "sync",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Delivered records survive a power cut (fsync for each delivery), and not only the "
             "end of the process."},
};

// How soon a file that could not be finished for its age is tried again.
constexpr Milliseconds kTryAgain{10'000};

class FileSink final : public Sink {
 public:
  explicit FileSink(file::SeriesWriter::Settings settings) : settings_(std::move(settings)) {}

  Status open(SinkContext& context) override {
    context_ = &context;
    settings_.record_end = context.format()->record_end;
    writer_ = std::make_shared<file::SeriesWriter>(settings_);
    if (Status fit = writer_->check(); !fit) return fit;
    age_timer_.emplace(context.loop());
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    pending_ = &delivery;
    done_ = std::move(done);
    begin_next();
  }

  void close(std::function<void()> closed) override {
    closed_ = std::move(closed);
    age_timer_.reset();
    if (!writer_) return closed_();
    pending_ = nullptr;
    writer_->cancel();
    begin_next();
  }

 private:
  file::Times now() const {
    return {context_->loop().clock().unix_us(), context_->loop().clock().monotonic_us()};
  }

  // Does what is to be done next, unless something is being done: the end of that comes here again.
  void begin_next() {
    if (busy_) return;
    if (closed_) {
      begin_finish();
    } else if (pending_ != nullptr) {
      begin_write();
    } else {
      watch_age();
    }
  }

  void begin_write() {
    // The opening is asked for each time: a CSV header is known only when something was encoded.
    in_pool([writer = writer_, delivery = pending_, opening = context_->wrap().open,
             at = now()] { return writer->write(*delivery, opening, at); },
            [this](Answer answer) {
              if (closed_) return begin_next();
              pending_ = nullptr;
              // It may come with the next delivery at once.
              std::exchange(done_, nullptr)(std::move(answer));
              begin_next();
            });
  }

  void begin_rotate() {
    in_pool([writer = writer_, at = now()] { return writer->rotate_if_old(at); },
            [this](const Status& status) {
              if (!status) log::warn(context_->pipeline(), "file: " + status.error().message());
              rotate_failed_ = !status;
              begin_next();
            });
  }

  void begin_finish() {
    in_pool([writer = writer_, at = now()] { return writer->finish(at); },
            [this](const Status& status) {
              if (!status) log::error(context_->pipeline(), "file: " + status.error().message());
              writer_.reset();
              std::exchange(closed_, nullptr)();
            });
  }

  template <typename Work, typename Then>
  void in_pool(Work work, Then then) {
    busy_ = true;
    run_in_pool(context_->loop(), lifetime_, std::move(work),
                [this, then = std::move(then)](auto result) {
                  busy_ = false;
                  then(std::move(result));
                });
  }

  // A timer runs only while there is a file that becomes too old by itself.
  void watch_age() {
    std::optional<int64_t> at_us = writer_->old_at_us();
    if (!at_us) return age_timer_->stop();
    Milliseconds wait{(*at_us - now().monotonic_us + 999) / 1000};
    if (std::exchange(rotate_failed_, false)) wait = kTryAgain;
    age_timer_->start(wait, [this] {
      if (!busy_) begin_rotate();
    });
  }

  file::SeriesWriter::Settings settings_;
  SinkContext* context_ = nullptr;
  std::optional<Timer> age_timer_;
  bool busy_ = false;  // something is in the pool
  bool rotate_failed_ = false;
  const Delivery* pending_ = nullptr;
  Done done_;
  std::function<void()> closed_;
  std::shared_ptr<file::SeriesWriter> writer_;
  Lifetime lifetime_;
};

file::SeriesWriter::Settings settings_of(const Options& options) {
  file::SeriesWriter::Settings settings;
  settings.path = options.string("path");
  settings.sync = options.boolean("sync");
  settings.rotate_bytes = static_cast<uint64_t>(options.bytes("rotate.bytes"));
  settings.rotate_age_us = options.duration("rotate.age").count() * 1000;
  return settings;
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  file::SeriesWriter::Settings settings = settings_of(options);
  if (settings.path.empty()) return fail_option(options, "path", "is empty", Problem::Kind::kEmpty);
  return std::make_unique<FileSink>(std::move(settings));
}

Status check_files(const Options& options) {
  Status fit = check_folder_of(options.string("path"));
  return fit ? fit : fail_option(options, "path", fit.error().message());
}

}  // namespace

extern constexpr SinkType kFileSink{
    .name = "file",
    .help =
        "Writes files. A file gets its name when it is complete, and holds whole records only, "
        "also after a power cut.",
    .consumes = Consumes::kSlices,
    .options = kOptions,
    .default_format = "ndjson",
    .appends = true,
    // The bytes are what bounds a delivery: each costs an fsync and a mark in the file's
    // attributes.
    .batch = {.records = 20'000, .bytes = 1024 * 1024, .linger = Milliseconds{500}},
    .make = make,
    .check_files = check_files,
#ifdef LEAT_TOOLS
    .probe = [](const Options& options, const ProbeContext& context,
                Probed done) -> std::unique_ptr<PeerProbe> {
      return probe_folder(settings_of(options), context, std::move(done));
    },
#endif
};

}  // namespace leat
