// Reads files: each once to its end (bounded), or for ever as they grow (`follow`).
//
// One read is under way at a time, on the thread pool, straight into the batch that will carry it.
// With `follow` nothing is polled: inotify says which file has grown.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "connectors/file/folder_watch.h"
#include "connectors/file/input_file.h"
#include "connectors/file/paths.h"
#include "connectors/file/stream.h"
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

std::string absolute(const std::string& path) {
  if (path.empty() || path[0] == '/') return path;
  char* cwd = ::getcwd(nullptr, 0);
  std::string out = cwd == nullptr ? path : std::string(cwd) + "/" + path;
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
        compression_(compression_of(options.string("compression"))) {
    for (const std::string& path : options.strings("path")) patterns_.push_back(absolute(path));
  }

  Status open(SourceContext& context) override {
    context_ = &context;
    for (const SavedPosition& saved : context.saved()) {
      ResumePoint point;
      if (from_saved(saved, point)) resume_points_.push_back(point);
    }
    if (follow_) {
      watch_ = std::make_unique<FolderWatch>(
          context.loop(), [this](const std::string& path) { grew(path); }, [this] { look_soon(); });
      look_ = std::make_unique<Timer>(context.loop());
      rotate_ = std::make_unique<Timer>(context.loop());
      look_again();
      find_renamed();
    } else {
      list_files();
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
    return to_saved(*by_partition_.at(position.partition), position);
  }

  void acked(const Position& position) override {
    if (position.last) by_partition_.erase(position.partition);
  }

  std::string describe(const Position& position) override {
    auto found = by_partition_.find(position.partition);
    std::string path = found == by_partition_.end() ? "?" : found->second->path;
    return path + ":" + std::to_string(position.line);
  }

 private:
  // --- bounded: one file after the other
  // -----------------------------------------------------------

  void list_files() {
    for (const std::string& path : expand(patterns_)) {
      pending_.push_back(path);
      struct stat info {};
      if (::stat(path.c_str(), &info) == 0) bytes_total_ += static_cast<uint64_t>(info.st_size);
    }
    if (pending_.empty())
      log::warn(context_->pipeline(), "file: nothing to read: no file matches " + patterns_[0] +
                                          (patterns_.size() > 1 ? " and the other paths" : ""));
  }

  // Opens files in order until one can be read; false when there are no more.
  bool open_next() {
    while (!pending_.empty()) {
      std::string path = std::move(pending_.front());
      pending_.pop_front();
      Result<std::shared_ptr<InputFile>> file = InputFile::open(path, compression_);
      if (file) {
        add(path, std::move(*file));
        return true;
      }
      note_failure(file.error());
    }
    return false;
  }

  // The good files around a bad one are read; the pipeline fails at its end.
  void note_failure(const Error& error) {
    log::error(context_->pipeline(), "file: " + error.message());
    ++failures_;
    if (!failure_) failure_ = error;
  }

  void finish() {
    finished_ = true;
    if (!failure_) return context_->finished({});
    std::string more = failures_ > 1 ? " (and " + std::to_string(failures_ - 1) + " more)" : "";
    context_->finished(fail(failure_->kind(), "file: " + failure_->message() + more));
  }

  // --- any file
  // ------------------------------------------------------------------------------------

  std::shared_ptr<Stream> make_stream(const std::string& path, std::shared_ptr<InputFile> file) {
    auto stream = std::make_shared<Stream>();
    stream->path = path;
    stream->file = std::move(file);
    stream->partition = next_partition_++;
    by_partition_[stream->partition] = stream;
    return stream;
  }

  void add(const std::string& path, std::shared_ptr<InputFile> file) {
    std::shared_ptr<Stream> stream = make_stream(path, std::move(file));
    for (const ResumePoint& point : resume_points_) {
      if (is_same_file(*stream->file, point)) {
        stream->identity = point.identity;
        stream->line = point.line;
        stream->start = point.offset;
        stream->at_start = point.offset == 0;
        stream->preamble_due = point.offset > 0 && context_->needs_preamble();
        break;
      }
      if (point.path == path && point.offset > 0)
        log::warn(context_->pipeline(), "file: " + path +
                                            " was replaced or cut since it was last read: reading "
                                            "it from its start");
    }
    streams_.push_back(std::move(stream));
  }

  // --- reading
  // -------------------------------------------------------------------------------------

  void next() {
    if (stopped_ || reading_ || finished_) return;
    if (!follow_) {
      std::erase_if(streams_, [](const auto& stream) { return stream->ended; });
      if (streams_.empty() && !open_next()) return finish();
      return read(streams_.front());
    }
    // In turn, so that a busy file lets the others pass.
    for (size_t tried = 0; tried < streams_.size(); ++tried) {
      turn_ = (turn_ + 1) % streams_.size();
      if (streams_[turn_]->ended || !streams_[turn_]->dirty) continue;
      if (was_cut(*streams_[turn_]) && !replace_cut(streams_[turn_])) return;
      if (streams_[turn_]->ended) continue;
      return read(streams_[turn_]);
    }
    std::erase_if(streams_, [](const auto& stream) { return stream->ended && stream->rotated; });
    await_rotated();
  }

  void read(const std::shared_ptr<Stream>& stream) {
    BatchRef batch = context_->new_batch(Content::kBytes);
    if (!batch) return;
    reading_ = true;
    stream->dirty = false;
    size_t carried = stream->carry.size();
    size_t capacity = carried + context_->batch_bytes();
    // One byte more: at the end of the file the last record may have to be completed.
    char* buffer = batch->arena.array<char>(capacity + 1);
    if (carried > 0) std::memcpy(buffer, stream->carry.data(), carried);
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

  void have_read(Stream& stream, BatchRef batch, std::span<char> bytes,
                 const InputFile::Read& read) {
    if (stream.preamble_due) return have_preamble(stream, std::move(batch), bytes);
    if (read.bytes > 0) {
      stream.dirty = true;
      if (stream.identity.head_bytes == 0) stream.identity = stream.file->identity();
      if (stream.rotated) stream.rotated_us = context_->clock().monotonic_us();
    }
    if (!read.status) note_failure(read.status.error());
    stream.ended = !read.status || (read.bytes == 0 && (!follow_ || stream.file->gzip()));
    Then then = stream.ended ? Then::kEnd : Then::kMore;
    emit(stream, std::move(batch), bytes, read.status ? then : Then::kBroken);
    if (stream.ended) bytes_done_ += stream.file->file_offset();
    std::optional<uint64_t> total;
    if (!follow_) total = bytes_total_;
    context_->progress(bytes_done_ + (stream.ended ? 0 : stream.file->file_offset()), total);
  }

  // The start of a file whose middle is to be read next.
  void have_preamble(Stream& stream, BatchRef batch, std::span<char> bytes) {
    Stream start = stream;
    start.at_start = true;
    batch->bytes = cut_records(start, bytes, false, *context_->framing(), max_record_).whole;
    batch->preamble = true;
    batch->begin.partition = batch->end.partition = stream.partition;
    context_->emit(std::move(batch));
    stream.preamble_due = false;
    stream.dirty = true;
    if (!stream.file->gzip()) return;
    // Inflating only goes forwards: the middle is reached from the start again.
    Result<std::shared_ptr<InputFile>> again = InputFile::open(stream.path, compression_);
    if (again) {
      stream.file = std::move(*again);
    } else {
      note_failure(again.error());
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

  void emit(Stream& stream, BatchRef batch, std::span<char> bytes, Then then) {
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
    batch.rejected = batch.arena.copy(bytes.substr(0, kKeptOfTooLong));
    batch.rejected_why = batch.arena.copy(why);
  }

  // --- following: which files there are
  // ------------------------------------------------------------

  void look_again() {
    for (const std::string& path : expand(patterns_)) consider(path);
    watch_->watch(folders_to_watch(patterns_));
    for (const std::shared_ptr<Stream>& stream : streams_) check_rotation(*stream);
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

  // Opens the file at `path` unless it is being read already, perhaps under another name.
  void consider(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return;  // not there yet
    for (const std::shared_ptr<Stream>& stream : streams_) {
      Result<struct stat> known = stream->file->status();
      if (!known || known->st_ino != info.st_ino || known->st_dev != info.st_dev) continue;
      stream->path = path;
      stream->rotated = false;
      return;
    }
    Result<std::shared_ptr<InputFile>> file = InputFile::open(path, compression_);
    if (file) {
      unreadable_.erase(path);
      add(path, std::move(*file));
    } else if (unreadable_.insert(path).second) {
      // It may become readable: said once, tried again whenever its folder changes.
      log::warn(context_->pipeline(), "file: " + file.error().message());
    }
  }

  // A file that was rotated away while the agent was down still has what was not read of it.
  void find_renamed() {
    for (const ResumePoint& point : resume_points_) {
      bool known = std::any_of(streams_.begin(), streams_.end(), [&point](const auto& stream) {
        return stream->identity == point.identity;
      });
      if (known) continue;
      for (const std::string& path : expand({point.path.substr(0, point.path.rfind('/')) + "/*"})) {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0 || info.st_ino != point.identity.inode) continue;
        Result<std::shared_ptr<InputFile>> file = InputFile::open(path, Compression::kNone);
        if (!file || !is_same_file(**file, point)) continue;
        add(path, std::move(*file));
        note_rotated(*streams_.back());
        // It is older than what is in the file that has its name now.
        std::rotate(streams_.begin(), streams_.end() - 1, streams_.end());
        turn_ = streams_.size() - 1;
        break;
      }
    }
  }

  void check_rotation(Stream& stream) {
    if (stream.ended || stream.rotated) return;
    struct stat there {};
    Result<struct stat> mine = stream.file->status();
    bool same = mine && ::stat(stream.path.c_str(), &there) == 0 && there.st_ino == mine->st_ino &&
                there.st_dev == mine->st_dev;
    if (!same) note_rotated(stream);
  }

  void note_rotated(Stream& stream) {
    stream.rotated = true;
    stream.rotated_us = context_->clock().monotonic_us();
    stream.dirty = true;
  }

  void grew(const std::string& path) {
    bool known = false;
    for (const std::shared_ptr<Stream>& stream : streams_) {
      if (stream->path == path) known = true;
      // A rotated file grows under a name that is not known here.
      if (stream->path == path || stream->rotated) stream->dirty = true;
    }
    if (!known && matches(patterns_, path)) return look_soon();
    next();
  }

  // --- following: files that end
  // -------------------------------------------------------------------

  // A file that is shorter than what was read of it, or begins otherwise, was emptied and written
  // anew (copytruncate).
  bool was_cut(const Stream& stream) const {
    if (stream.file->gzip() || stream.identity.head_bytes == 0 || stream.start > 0) return false;
    Result<struct stat> info = stream.file->status();
    if (!info) return false;
    return static_cast<uint64_t>(info->st_size) < stream.file->offset() ||
           stream.file->identity(stream.identity.head_bytes) != stream.identity;
  }

  // What it holds now is another stream; the old one stays for the positions under way. False when
  // there is no credit now.
  bool replace_cut(std::shared_ptr<Stream>& stream) {
    if (!end_stream(*stream)) return false;
    Result<std::shared_ptr<InputFile>> again = InputFile::open(stream->path, compression_);
    if (!again) {
      note_rotated(*stream);
      return true;
    }
    log::info(context_->pipeline(),
              "file: " + stream->path + " was cut: reading it from its start");
    stream = make_stream(stream->path, std::move(*again));
    return true;
  }

  // Ends a stream that will not grow any more, with its last record though its newline is missing.
  // False when there is no credit now; resume() leads back here.
  bool end_stream(Stream& stream) {
    BatchRef batch = context_->new_batch(Content::kBytes);
    if (!batch) return false;
    size_t size = stream.carry.size();
    char* buffer = batch->arena.array<char>(size + 1);
    if (size > 0) std::memcpy(buffer, stream.carry.data(), size);
    emit(stream, std::move(batch), {buffer, size}, Then::kEnd);
    stream.ended = true;
    return true;
  }

  // Rotated files are let go when nothing came for rotate_wait_.
  void await_rotated() {
    int64_t now = context_->clock().monotonic_us();
    int64_t soonest_us = INT64_MAX;
    for (const std::shared_ptr<Stream>& stream : streams_) {
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
      for (const std::shared_ptr<Stream>& stream : streams_)
        if (stream->rotated) stream->dirty = true;  // a last look
      next();
    });
  }

  const bool follow_;
  const size_t max_record_;
  const Milliseconds rotate_wait_;
  const Compression compression_;
  std::vector<std::string> patterns_;  // absolute

  SourceContext* context_ = nullptr;
  std::vector<ResumePoint> resume_points_;
  std::deque<std::string> pending_;               // bounded: not opened yet
  std::vector<std::shared_ptr<Stream>> streams_;  // being read; bounded: one at most
  // Also those that have ended, until all of them is acknowledged.
  std::map<uint32_t, std::shared_ptr<Stream>> by_partition_;
  std::set<std::string> unreadable_;  // following: said so
  uint32_t next_partition_ = 1;
  size_t turn_ = 0;
  uint64_t bytes_total_ = 0;  // of all files, compressed as they are
  uint64_t bytes_done_ = 0;   // of files that have ended
  std::optional<Error> failure_;
  int failures_ = 0;
  bool reading_ = false;  // one read is under way on the pool
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
    .replay = Replay::kFromPosition,
    .options = kOptions,
    .formats = kFormats,
    .bounded = [](const Options& options) { return !options.boolean("follow"); },
    .make = [](const Options& options) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(std::make_unique<FileSource>(options));
    }};

}  // namespace leat
