// Writes records to files. The work is done on libuv's thread pool (partitions.h), since disks
// block; this file is what stands on the loop, and sees to it that one thing is done at a time.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/folder.h"
#include "base/lifetime.h"
#include "base/log.h"
#include "connectors/file/files.h"
#include "connectors/file/probe.h"
#include "connectors/file/series_writer.h"
#include "loop/handles.h"
#include "loop/pool.h"
#include "options/option_errors.h"
#include "stage/sink.h"
#ifdef LEAT_ARCHIVE
#include "connectors/file/gzip_member.h"
#include "connectors/file/partitions.h"
#include "connectors/file/router.h"
#endif

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

#ifdef LEAT_ARCHIVE
constexpr std::string_view kCompressions[] = {"none", "gzip"};
#endif

constexpr Option kOptions[] = {
    {.name = "path",
     .required = true,
#ifdef LEAT_ARCHIVE
     .help = "The file; {name} stands for the value of that field, and {_time:%Y-%m-%d} for the "
             "record's time in UTC: each value has a file of its own, in folders that are made. "
             "While it is written its name ends in \".part\". The folder before the first field "
             "must exist.",
#else
     .help = "The file. While it is written its name ends in \".part\". Its folder must exist.",
#endif
     .path = true,
     .example = "\"/var/lib/leat/out.ndjson\"",
     .once = "each would write over what the other has written"},
    {.name = "rotate",
     .type = OptionType::kObject,
     .help = "When to begin a new file. Each then has the time and a number in its name: "
             "out-20260102T030405Z-0001.ndjson.",
     .fields = kRotateOptions},
#ifdef LEAT_ARCHIVE
    {.name = "openFiles",
     .type = OptionType::kInteger,
     .fallback = "64",
     .help = "With fields in `path`: how many files are held open. Of others each delivery opens "
             "those that it writes to.",
     .min = 1,
     .max = 1024},
    {.name = "successFile",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "When all of a source that ends is delivered: an empty file _SUCCESS in each folder "
             "that `path` names."},
#endif
#ifdef LEAT_ARCHIVE
    {.name = "compression",
     .fallback = "none",
     .help =
         "With gzip each delivery is packed for itself, and `rotate.bytes` counts what comes of "
         "it: a file is that large when the next one begins, or larger by a delivery.",
     .choices = kCompressions},
#endif
    {.name = "sync",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Delivered records survive a power cut (fsync for each delivery), and not only the "
             "end of the process."},
};

// How soon a file that could not be finished for its age is tried again.
constexpr Milliseconds kTryAgain{10'000};

struct Settings {
  file::SeriesWriter::Settings each;
#ifdef LEAT_ARCHIVE
  std::optional<file::PathTemplate> path;  // with fields
  size_t most_open = 1;
  bool success_file = false;
#endif
  std::string somewhere;  // a path in the folder that must be there
};

class FileSink final : public Sink {
 public:
  explicit FileSink(Settings settings) : settings_(std::move(settings)) {}

  Status open(SinkContext& context) override {
    context_ = &context;
    settings_.each.record_end = context.format()->record_end;
    settings_.each.whole_part = context.format()->whole_part;
    if (Status fit = file::SeriesWriter::check(settings_.somewhere); !fit) return fit;
#ifdef LEAT_ARCHIVE
    if (settings_.path) {
      router_.emplace(*settings_.path, settings_.most_open, context);
      files_ = std::make_shared<file::Partitions>(file::Partitions::Settings{
          *settings_.path, settings_.each, settings_.most_open, settings_.success_file});
    }
#endif
    if (!files_) files_ = std::make_shared<file::SeriesWriter>(settings_.each);
    charge_ = Charge(context.budget());
#ifdef LEAT_ARCHIVE
    if (settings_.each.gzip) gzip_charge_ = Charge(context.budget(), file::kGzipMemory);
#endif
    age_timer_.emplace(context.loop());
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    pending_ = &delivery;
    done_ = std::move(done);
    begin_next();
  }

  void finish(std::function<void(Status)> done) override {
    finished_ = std::move(done);
    begin_next();
  }

  void close(std::function<void()> closed) override {
    closed_ = std::move(closed);
    finished_ = nullptr;
    age_timer_.reset();
    if (!files_) return closed_();
    pending_ = nullptr;
    files_->cancel();
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
    } else if (finished_) {
      begin_last_words();
    } else {
      watch_age();
    }
  }

  void begin_write() {
    in_pool([files = files_, routed = routed(*pending_),
             at = now()] { return files->write(*routed, at); },
            [this](Answer answer) {
              if (closed_) return begin_next();
              pending_ = nullptr;
              // It may come with the next delivery at once.
              std::exchange(done_, nullptr)(std::move(answer));
              begin_next();
            });
  }

  std::shared_ptr<file::RoutedDelivery> routed(const Delivery& delivery) {
#ifdef LEAT_ARCHIVE
    if (router_) return router_->route(delivery);
#endif
    auto out = std::make_shared<file::RoutedDelivery>();
    // The opening is asked for each time: a CSV header is known only when something was encoded.
    out->routes.push_back({"", context_->wrap().open});
    out->whole = &delivery;
    return out;
  }

  void begin_rotate() {
    in_pool([files = files_, at = now()] { return files->rotate_if_old(at); },
            [this](const Status& status) {
              if (!status) log::warn(context_->pipeline(), "file: " + status.error().message());
              rotate_failed_ = !status;
              begin_next();
            });
  }

  void begin_last_words() {
    in_pool(
        [files = files_, at = now()] {
          Status status = files->finish(at);
          return status ? files->tell_success() : status;
        },
        [this](const Status& status) {
          if (auto finished = std::exchange(finished_, nullptr)) finished(status);
          begin_next();
        });
  }

  void begin_finish() {
    in_pool([files = files_, at = now()] { return files->finish(at); },
            [this](const Status& status) {
              if (!status) log::error(context_->pipeline(), "file: " + status.error().message());
              files_.reset();
              std::exchange(closed_, nullptr)();
            });
  }

  template <typename Work, typename Then>
  void in_pool(Work work, Then then) {
    busy_ = true;
    run_in_pool(context_->loop(), lifetime_, std::move(work),
                [this, then = std::move(then)](auto result) {
                  busy_ = false;
                  if (files_) charge_.set(files_->footprint());
                  then(std::move(result));
                });
  }

  // A timer runs only while there is a file that becomes too old by itself.
  void watch_age() {
    std::optional<int64_t> at_us = files_->old_at_us();
    if (!at_us) return age_timer_->stop();
    Milliseconds wait{(*at_us - now().monotonic_us + 999) / 1000};
    if (std::exchange(rotate_failed_, false)) wait = kTryAgain;
    age_timer_->start(wait, [this] {
      if (!busy_) begin_rotate();
    });
  }

  Settings settings_;
  SinkContext* context_ = nullptr;
  std::optional<Timer> age_timer_;
  bool busy_ = false;  // something is in the pool
  bool rotate_failed_ = false;
  const Delivery* pending_ = nullptr;
  Done done_;
  std::function<void(Status)> finished_;
  std::function<void()> closed_;
  std::shared_ptr<file::Files> files_;
#ifdef LEAT_ARCHIVE
  std::optional<file::Router> router_;  // when the path has fields
  Charge gzip_charge_;
#endif
  Charge charge_;
  Lifetime lifetime_;
};

Result<Settings> settings_of(const Options& options) {
  Settings settings;
  settings.each.path = options.string("path");
  settings.each.sync = options.boolean("sync");
  settings.each.rotate_bytes = static_cast<uint64_t>(options.bytes("rotate.bytes"));
  settings.each.rotate_age_us = options.duration("rotate.age").count() * 1000;
  if (settings.each.path.empty())
    return fail_option(options, "path", "is empty", Problem::Kind::kEmpty);
#ifdef LEAT_ARCHIVE
  Result<file::PathTemplate> path = file::PathTemplate::parse(settings.each.path);
  if (!path) return fail_option(options, "path", path.error().message());
  settings.each.gzip = options.string("compression") == "gzip";
  settings.each.path = path->plain();
  settings.somewhere = path->has_fields() ? path->base() + "/.leat" : path->plain();
  if (path->has_fields()) settings.path = std::move(*path);
  settings.most_open = static_cast<size_t>(options.integer("openFiles"));
  settings.success_file = options.boolean("successFile");
  if (settings.success_file && !settings.path)
    return fail_option(options, "successFile", "needs a `path` with fields");
#else
  if (settings.each.path.find('{') != std::string::npos)
    return fail_option(options, "path", "this build was made without fields in paths");
  settings.somewhere = settings.each.path;
#endif
  return settings;
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  Result<Settings> settings = settings_of(options);
  if (!settings) return fail(settings.error());
  return std::make_unique<FileSink>(std::move(*settings));
}

#ifdef LEAT_ARCHIVE
// Where the path has fields, they must be known.
Consumes takes(const Options& options) {
  Result<file::PathTemplate> path = file::PathTemplate::parse(options.string("path"));
  return path && path->has_fields() ? Consumes::kRecords : Consumes::kSlices;
}
#endif

Status check_files(const Options& options) {
  Status fit = check_folder_of(settings_of(options)->somewhere);
  return fit ? fit : fail_option(options, "path", fit.error().message());
}

}  // namespace

extern constexpr SinkType kFileSink{
    .name = "file",
    .help =
        "Writes files. A file gets its name when it is complete, and holds whole records only, "
        "also after a power cut.",
    .consumes = Consumes::kSlices,
#ifdef LEAT_ARCHIVE
    .takes = takes,
#endif
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
      return probe_folder(settings_of(options)->somewhere, context, std::move(done));
    },
#endif
};

}  // namespace leat
