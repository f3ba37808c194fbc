// Reads files: each once to its end (bounded), or for ever as they grow (`follow`).
//
// One read is under way at a time, on the thread pool, straight into the batch that will carry it.
// With `follow` nothing is polled: inotify says which file has grown.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "connectors/file/file_set.h"
#include "connectors/file/input_file.h"
#include "connectors/file/paths.h"
#include "connectors/file/stream.h"
#include "loop/folder_watch.h"
#include "loop/handles.h"
#include "loop/pool.h"
#include "stage/source.h"

namespace leat {
namespace {

constexpr std::string_view kCompressions[] = {"auto", "none", "gzip"};
constexpr Option kOptions[] = {
    {.name = "path",
     .type = OptionType::kStrings,
     .required = true,
     .help = "Files to read: paths and globs (`/data/*.jsonl`), in this order; of one glob in the "
             "order of the names."},
    {.name = "follow",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "Keep reading as the files grow, are rotated, and appear. Without it, each file is read "
         "once to its end and the pipeline is done."},
    {.name = "compression",
     .fallback = "auto",
     .help = "`auto` looks at the first bytes of each file. Compressed files are not followed.",
     .choices = kCompressions},
    {.name = "maxRecord",
     .type = OptionType::kBytes,
     .fallback = "1MiB",
     .help =
         "A record longer than this becomes a dead letter (its first 1 KiB is kept) and reading "
         "goes on behind it.",
     .min = 1024,
     .max = 64 * 1024 * 1024},
    {.name = "rotateWait",
     .type = OptionType::kDuration,
     .fallback = "5s",
     .help =
         "With `follow`: how long a file that was renamed or deleted is still read after its last "
         "growth, since writers may hold it open for a while.",
     .max = 3'600'000},
};
constexpr std::string_view kFormats[] = {"json", "csv", "lines", "raw"};

constexpr size_t kKeptOfTooLong = 1024;

// Watching and comparing need one way to name a file.
std::vector<std::string> absolute(const std::vector<std::string>& paths) {
  char* cwd = ::getcwd(nullptr, 0);
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    bool relative = cwd != nullptr && !path.starts_with('/');
    out.push_back(relative ? std::string(cwd) + "/" + path : path);
  }
  std::free(cwd);
  return out;
}

Compression compression_of(const std::string& name) {
  if (name == "gzip") return Compression::kGzip;
  return name == "none" ? Compression::kNone : Compression::kAuto;
}

class FileSource final : public Source {
 public:
  explicit FileSource(const Options& options)
      : follow_(options.boolean("follow")),
        max_record_(static_cast<size_t>(options.bytes("maxRecord"))),
        rotate_wait_(options.duration("rotateWait")),
        files_(absolute(options.strings("path")), compression_of(options.string("compression"))) {}

  Status open(SourceContext& context) override {
    context_ = &context;
    files_.open(context);
    if (follow_) {
      watch_ = std::make_unique<FolderWatch>(
          context.loop(), [this](const std::string& path) { grew(path); }, [this] { look_soon(); });
      look_ = std::make_unique<Timer>(context.loop());
      rotate_ = std::make_unique<Timer>(context.loop());
      look_again();
      files_.find_renamed();
    } else {
      files_.list();
    }
    next();
    return {};
  }

  void resume() override { next(); }

  void stop(std::function<void()> closed) override {
    stopped_ = true;
    watch_.reset();
    look_.reset();
    rotate_.reset();
    if (reading_) {
      on_read_done_ = std::move(closed);
    } else {
      closed();
    }
  }

  SavedPosition saved_form(const Position& position) override {
    return to_saved(*files_.find(position.partition), position);
  }

  void acked(const Position& position) override {
    if (position.last) files_.forget(position.partition);
  }

  std::string describe(const Position& position) override {
    return files_.find(position.partition)->path + ":" + std::to_string(position.line);
  }

 private:
  void next() {
    if (stopped_ || reading_ || finished_) return;
    if (follow_) return next_in_turn();
    std::vector<std::shared_ptr<InputStream>>& streams = files_.streams();
    std::erase_if(streams, [](const auto& stream) { return stream->ended; });
    if (!streams.empty() || files_.open_next()) return read(streams.front());
    finished_ = true;
    context_->finished(files_.result());
  }

  // A busy file lets the others pass.
  void next_in_turn() {
    std::vector<std::shared_ptr<InputStream>>& streams = files_.streams();
    for (size_t tried = 0; tried < streams.size(); ++tried) {
      turn_ = (turn_ + 1) % streams.size();
      std::shared_ptr<InputStream>& stream = streams[turn_];
      if (stream->ended || !stream->dirty) continue;
      if (files_.was_cut(*stream)) {
        if (!end_stream(*stream)) return;
        files_.replace_cut(stream);
        if (stream->ended) continue;
      }
      return read(stream);
    }
    files_.drop_ended();
    await_rotated();
  }

  void read(const std::shared_ptr<InputStream>& stream) {
    BatchRef batch = context_->new_batch(Content::kBytes);
    if (!batch) return;
    reading_ = true;
    stream->dirty = false;
    size_t carried = stream->carry.size();
    size_t capacity = carried + context_->batch_bytes();
    // One byte more: at the end of the file the last record may have to be completed.
    char* buffer = batch->arena.array<char>(capacity + 1);
    std::copy_n(stream->carry.data(), carried, buffer);
    uint64_t start = stream->preamble_due ? 0 : std::exchange(stream->start, 0);
    auto result = std::make_shared<InputFile::Read>();
    run_in_pool(
        context_->loop(),
        [file = stream->file, buffer, carried, capacity, result, start] {
          if (start > 0) result->status = file->skip_to(start);
          if (result->status) *result = file->read(buffer + carried, capacity - carried);
        },
        [this, stream, batch, buffer, carried, result]() mutable {
          reading_ = false;
          if (!stopped_) {
            have_read(*stream, std::move(batch), {buffer, carried + result->bytes}, *result);
            next();
          } else if (on_read_done_) {
            batch.reset();
            on_read_done_();
          }
        });
  }

  void have_read(InputStream& stream, BatchRef batch, std::span<char> bytes,
                 const InputFile::Read& read) {
    if (stream.preamble_due) return have_preamble(stream, std::move(batch), bytes);
    if (read.bytes > 0) {
      stream.dirty = true;
      if (stream.identity.head_bytes == 0) stream.identity = stream.file->identity();
      if (stream.rotated) stream.rotated_us = context_->clock().monotonic_us();
    }
    bool whole_file = !follow_ || stream.file->gzip();
    Then then = whole_file && read.bytes == 0 ? Then::kEnd : Then::kMore;
    if (!read.status) {
      files_.note_failure(read.status.error());
      // A file that is followed is tried again when it changes.
      if (whole_file) then = Then::kBroken;
    }
    stream.ended = then != Then::kMore;
    emit(stream, std::move(batch), bytes, then);
    if (stream.ended) bytes_done_ += stream.file->file_offset();
    std::optional<uint64_t> total;
    if (!follow_) total = files_.bytes_total();
    context_->progress(bytes_done_ + (stream.ended ? 0 : stream.file->file_offset()), total);
  }

  // The start of a file whose middle is to be read next.
  void have_preamble(InputStream& stream, BatchRef batch, std::span<char> bytes) {
    InputStream start = stream;
    start.at_start = true;
    batch->bytes = cut_records(start, bytes, false, *context_->framing(), max_record_).whole;
    batch->preamble = true;
    batch->begin.partition = batch->end.partition = stream.partition;
    context_->emit(std::move(batch));
    stream.preamble_due = false;
    stream.dirty = true;
    if (!stream.file->gzip()) return;
    // Inflating only goes forwards: the middle is reached from the start again.
    Result<std::shared_ptr<InputFile>> again = files_.reopen(stream);
    if (again) {
      stream.file = std::move(*again);
    } else {
      files_.note_failure(again.error());
      end_stream(stream);
      stream.ended = true;
    }
  }

  // How a stream goes on behind the bytes of an emit().
  enum class Then {
    kMore,    // it may grow
    kEnd,     // these were its last
    kBroken,  // the rest cannot be read
  };

  void emit(InputStream& stream, BatchRef batch, std::span<char> bytes, Then then) {
    Pieces pieces =
        cut_records(stream, bytes, then == Then::kEnd, *context_->framing(), max_record_);
    uint64_t to = std::min<uint64_t>(pieces.offset + pieces.whole.size(), stream.file->offset());
    batch->begin = {stream.partition, pieces.offset, stream.line};
    batch->end = {stream.partition, to, stream.line};
    batch->arrival_us = context_->clock().unix_us();
    batch->end.last = then != Then::kMore;
    batch->bytes = pieces.whole;
    if (!pieces.too_long.empty()) {
      reject(*batch, pieces.too_long,
             "the record is longer than maxRecord (" +
                 format_bytes(static_cast<int64_t>(max_record_)) +
                 "); only its start is kept here");
    } else if (then == Then::kBroken && !stream.carry.empty()) {
      reject(*batch, stream.carry, "the file could not be read to the end of this record");
    }
    if (batch->end.last || !batch->bytes.empty() || !batch->rejected.empty())
      context_->emit(std::move(batch));
  }

  void reject(Batch& batch, std::string_view bytes, const std::string& why) {
    batch.rejected.push_back(
        {batch.arena.copy(bytes.substr(0, kKeptOfTooLong)), batch.arena.copy(why)});
  }

  // --- following ---

  // Watches first: what appears between the two steps is then noticed by one of them.
  void look_again() {
    watch_->watch(folders_to_watch(files_.patterns()));
    files_.look_again();
  }

  // Several changes of one moment are looked at together.
  void look_soon() {
    constexpr Milliseconds kDelay{20};
    if (look_->active()) return;
    look_->start(kDelay, [this] {
      look_again();
      next();
    });
  }

  void grew(const std::string& path) {
    if (!files_.grew(path)) look_soon();
    next();
  }

  // Ends a stream that will not grow any more, with its last record though its newline is missing.
  // False when there is no credit now; resume() leads back here.
  bool end_stream(InputStream& stream) {
    BatchRef batch = context_->new_batch(Content::kBytes);
    if (!batch) return false;
    size_t size = stream.carry.size();
    char* buffer = batch->arena.array<char>(size + 1);
    std::copy_n(stream.carry.data(), size, buffer);
    emit(stream, std::move(batch), {buffer, size}, Then::kEnd);
    stream.ended = true;
    return true;
  }

  // Rotated files are let go when nothing came for rotate_wait_.
  void await_rotated() {
    int64_t now = context_->clock().monotonic_us();
    int64_t soonest_us = INT64_MAX;
    for (const std::shared_ptr<InputStream>& stream : files_.streams()) {
      if (!stream->rotated || stream->ended) continue;
      int64_t left_us = stream->rotated_us + rotate_wait_.count() * 1000 - now;
      if (left_us > 0) {
        soonest_us = std::min(soonest_us, left_us);
      } else if (!end_stream(*stream)) {
        return;
      }
    }
    if (soonest_us == INT64_MAX || rotate_->active()) return;
    rotate_->start(Milliseconds(soonest_us / 1000 + 1), [this] {
      for (const std::shared_ptr<InputStream>& stream : files_.streams())
        if (stream->rotated) stream->dirty = true;  // a last look
      next();
    });
  }

  const bool follow_;
  const size_t max_record_;
  const Milliseconds rotate_wait_;
  FileSet files_;

  SourceContext* context_ = nullptr;
  size_t turn_ = 0;
  uint64_t bytes_done_ = 0;  // of files that have ended
  bool reading_ = false;     // one read is under way on the pool
  bool stopped_ = false;
  bool finished_ = false;
  std::function<void()> on_read_done_;
  std::unique_ptr<FolderWatch> watch_;
  std::unique_ptr<Timer> look_;
  std::unique_ptr<Timer> rotate_;
};

}  // namespace

extern const SourceType kFileSource;
const SourceType kFileSource{
    .name = "file",
    .help = "Reads files line by line or as CSV, once or as they grow, and remembers how far.",
    .gives = Gives::kBytes,
    .replay = replays<Replay::kFromPosition>,
    .options = kOptions,
    .formats = kFormats,
    .bounded = [](const Options& options) { return !options.boolean("follow"); },
    .make = [](const Options& options) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(std::make_unique<FileSource>(options));
    }};

}  // namespace leat
