#include "connectors/file/file_source.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/packed.h"

namespace leat {
namespace {

constexpr size_t kSmallRead = 4 * 1024;  // of a file that was read to its end
constexpr Milliseconds kShortage{200};
// A run that has an end fails when it could open nothing for so long.
constexpr Milliseconds kLongestShortage{60'000};
// How often files that were rotated away are looked for, to forget those that are gone.
constexpr int64_t kSearchAgainUs = 600'000'000;

// Nothing ends a line there, and all of the file is one.
bool ends_lines_by_cr(std::string_view text, const Framing& framing) {
  size_t cr = text.find('\r');
  return !framing.terminator().empty() && cr != std::string_view::npos &&
         cr + framing.unit() < text.size() &&
         framing.behind_line(text, 0) == std::string_view::npos;
}

// A file that filled the last read may have much more; of one that did not only what it grows by is
// to come. An unfinished record is read again with what follows it.
size_t next_capacity(const InputStream& stream, size_t asked, bool at_end, size_t batch_bytes) {
  if (at_end) return stream.unfinished + stream.unfinished / 4 + kSmallRead;
  if (stream.unfinished >= asked) return 2 * asked;  // not one whole record
  return std::min(batch_bytes, 8 * asked);
}

}  // namespace

FileSource::FileSource(Settings settings)
    : settings_(std::move(settings)),
      files_({.appeared = [this](const StreamRef& stream) { to_probe_.push_back(stream); },
              .grew =
                  [this](const StreamRef& stream) {
                    stream->grew = true;
                    turns_.add(stream);
                  },
              .rotated = [this](const StreamRef& stream) { rotated(stream); },
              .complain =
                  [this](const std::string& what) {
                    log::warn(context_->pipeline(), "file: " + what);  // words elsewhere
                  }}) {}

Status FileSource::open(SourceContext& context) {
  context_ = &context;
  jobs_.emplace(context.loop());
  rotated_.emplace(context.loop(), settings_.rotate_wait, [this](const StreamRef& stream) {
    turns_.add(stream);
    next();
  });
  shortage_.emplace(context.loop());
  again_.emplace(context.loop());
  again_after_.emplace(settings_.look_again, Discovery::kLookAgainMost);
  remember_saved();
  discovery_.emplace(
      context.loop(), *jobs_, patterns_of(settings_.paths), settings_.look_again,
      Discovery::Listener{
          .found = [this](std::vector<Found> found) { this->found(std::move(found)); },
          .passed = [this](const Unreadable& unreadable) { passed(unreadable); },
          .shortage = [this] { wait_for_descriptors(); },
          .written = [this](const std::string& path) { return written(path); },
          .known = [this](const std::string& path) { return files_.at(path) != nullptr; }});
  discovery_->start(settings_.follow);
  return {};
}

void FileSource::stop(std::function<void()> closed) {
  stopped_ = true;
  rotated_.reset();
  shortage_.reset();
  again_.reset();
  jobs_->stop([this, closed = std::move(closed)] {
    discovery_.reset();
    files_.stop_watching();
    closed();
  });
}

void FileSource::acked(const Position& position) {
  StreamRef stream = *files_.find(position.partition);
  log::debug(context_->pipeline(), [&] {
    return "acknowledged: " + stream->path + " up to byte " + std::to_string(position.offset);
  });
  stream->forget_places(position.offset);
  if (!position.last) return;
  files_.forget(position.partition);
  if (stopped_ || !settings_.follow) return;
  StreamRef successor = files_.with_key(stream->key);
  bool replaced = stream->cut && successor != nullptr && successor->probed &&
                  successor->identity != stream->identity;
  if (stream->deleted || replaced) return forget_saved({stream->point()});
  if (stream->cut || !stream->rotated) return;
  // It lives on under a name that is not followed. Should that change, it is known.
  files_.remember(stream->point());
  if (context_->loop().clock().monotonic_us() - searched_us_ > kSearchAgainUs) search_unmatched();
}

SavedPosition FileSource::saved_position(const Position& position) {
  return to_saved(**files_.find(position.partition), position);
}

std::string FileSource::describe(const Position& position) {
  return (*files_.find(position.partition))->path + ":" +
         std::to_string(context_->framing()->line_before(position));
}

// --- finding ------------------------------------------------------------------------------------

void FileSource::found(std::vector<Found> found) {
  if (stopped_) return;
  for (Found& one : found) {
    if (settings_.follow) {
      files_.take(one);
    } else if (paths_.insert(one.path).second) {
      bytes_total_ += one.info.size;
      inodes_.insert(one.info.key.inode);
      pending_.push_back(std::move(one));
    }
  }
  probe_some();
  next();
}

void FileSource::passed(const Unreadable& unreadable) {
  if (stopped_) return;
  bool first = !std::exchange(passed_, true);
  for (const auto& [folder, error] : std::exchange(unreadable_, unreadable))
    if (!unreadable_.contains(folder)) files_.recovered(folder);
  for (const auto& [folder, error] : unreadable_) say_unreadable(folder, error);
  if (unreadable_.empty()) again_after_->reset();
  if (settings_.follow) {
    for (const std::string& path : files_.unseen()) discovery_->look(path);
    return probe_some();
  }
  const std::string& path = settings_.paths[0];
  // Nothing was given that may take long to be delivered: the end, which says it, is now.
  if (first && paths_.empty() && failures_++ == 0)
    failure_ =
        Error(ErrorKind::kData, "nothing to read: no file matches " + path +
                                    (settings_.paths.size() > 1 ? " and the other paths" : ""));
  paths_ = {};
  search_unmatched();
  next();
}

// That nothing is found there does not mean that nothing is there.
void FileSource::say_unreadable(const std::string& folder, int error) {
  Error why = fail_errno("open " + folder, error).value();
  if (settings_.follow) return files_.complain(folder, why.message());
  note_failure(why);
}

void FileSource::look_again() {
  if (again_->active()) return;
  again_->start(again_after_->next(), [this] {
    again_->stop();
    go_on();
  });
}

bool FileSource::written(const std::string& path) {
  StreamRef stream = stopped_ ? nullptr : files_.at(path);
  if (stream == nullptr) return false;
  stream->grew = true;
  turns_.add(stream);
  next();
  meet(stream);
  return true;
}

void FileSource::rotated(const StreamRef& stream) {
  if (stopped_) return;
  if (stream->ended) return files_.let_go(stream);
  rotated_->add(stream);
  watch_alone(stream);
  turns_.add(stream);
}

// No folder may tell that it grows, under the name it has now.
void FileSource::watch_alone(const StreamRef& stream) {
  if (stream->watch != nullptr || stream->file == nullptr) return;
  std::weak_ptr<InputStream> weak = stream;
  stream->watch = std::make_unique<FileWatch>(
      context_->loop(), "/proc/self/fd/" + std::to_string(stream->file->descriptor()),
      [this, weak] {
        StreamRef grown = weak.lock();
        if (stopped_ || grown == nullptr) return;
        grown->grew = true;
        turns_.add(grown);
        next();
        meet(grown);
      });
}

// Nothing was given of it.
void FileSource::drop(const StreamRef& stream) {
  files_.let_go(stream);
  files_.forget(stream->partition);
  if (!settings_.follow) in_file_ = false;
}

// Files that were renamed while they were closed, all that there are at once: looking for each
// would be to list the folder for each.
void FileSource::find_lost() {
  if (finding_ || lost_.empty()) return;
  finding_ = true;
  auto streams = std::make_shared<std::vector<StreamRef>>(std::exchange(lost_, {}));
  auto job = std::make_shared<std::vector<Lost>>();
  for (const StreamRef& stream : *streams)
    job->push_back({stream->path, stream->key, stream->point().home()});
  jobs_->run([job] { find(*job); },
             [this, streams, job] {
               finding_ = false;
               for (size_t i = 0; i < streams->size(); ++i) {
                 const StreamRef& stream = (*streams)[i];
                 const Lost& lost = (*job)[i];
                 if (stream->ended) continue;
                 if (lost.found.empty() && lost.error != 0) {
                   maybe_lost_.push_back(stream);
                   if (InputFile::is_shortage(lost.error)) {
                     wait_for_descriptors();
                   } else {
                     say_unreadable(lost.unreadable, lost.error);
                     look_again();
                   }
                   continue;
                 }
                 stream->deleted = lost.found.empty();
                 stream->lost = stream->deleted;
                 if (!stream->rotated) discovery_->look(lost.path);
                 if (stream->deleted) {
                   // Its name was found again in the meantime?
                   if (stream->path != lost.path) stream->lost = stream->deleted = false;
                 } else if (stream->rotated) {
                   stream->rename(lost.found);
                 } else {
                   discovery_->look(lost.found);
                 }
                 turns_.add(stream);
               }
               streams->clear();
               find_lost();
               next();
             });
}

// --- reading ------------------------------------------------------------------------------------

void FileSource::next() {
  if (stopped_ || reading_ || finished_ || shortage_->active()) return;
  if (StreamRef stream = turns_.front()) return read(stream);
  if (settings_.follow || next_file() || !passed_) return;
  finished_ = true;
  if (unended_ > 1)
    log::info(context_->pipeline(),
              "file: the last lines of " + std::to_string(unended_) + " files had no end");
  context_->finished(result());
}

// Bounded: the next file that is there. False when there is none.
bool FileSource::next_file() {
  while (!in_file_ && !pending_.empty()) {
    Found found = std::move(pending_.front());
    pending_.pop_front();
    if (found.error != 0) {
      note_failure(fail_errno("open " + found.path, found.error).value());
      continue;
    }
    in_file_ = true;
    to_probe_.push_back(files_.add(found));
    probe_some();
  }
  return in_file_;
}

void FileSource::read(const StreamRef& stream) {
  BatchRef batch = context_->new_batch(Content::kBytes);
  if (!batch) return;
  turns_.take();
  if (stream->lost && stream->file == nullptr) {  // and was not found
    end_empty(stream, std::move(batch));
    return next();
  }
  reading_ = true;
  auto job = std::make_shared<Reading>();
  job->path = stream->path;
  job->key = stream->key;
  job->compression = settings_.compression;
  job->file = stream->file;
  job->so_far = *stream;
  job->size = stream->capacity;
  if (stream->preamble_due) {
    job->so_far.offset = 0;
    job->size = stream->preamble = std::max(stream->preamble, context_->batch_bytes());
  }
  job->verify = !stream->gzip && !stream->preamble_due;
  job->front = stream->gzip ? 0 : std::min<uint64_t>(InputFile::kBefore, job->so_far.offset);
  // Inflating goes on behind what is kept of it.
  if (stream->gzip && !stream->preamble_due) job->so_far.offset += stream->carry.size();
  size_t carried = stream->carry.size();
  // At the end of the file the last record may have to be completed.
  const size_t room = context_->framing()->terminator().size();
  char* buffer = batch->arena.array<char>(carried + job->front + job->size + room);
  std::copy_n(stream->carry.data(), carried, buffer);
  job->buffer = buffer + carried;
  jobs_->run([job] { leat::read(*job); },
             [this, stream, batch, job, buffer]() mutable {
               reading_ = false;
               have_read(stream, std::move(batch), *job, buffer);
               next();
             });
}

// False when there is something to give on.
bool FileSource::cannot_read(const StreamRef& stream, const BatchRef& batch, Reading& reading) {
  if (reading.shortage) {
    turns_.return_to_front(stream);
    wait_for_descriptors();
    return true;
  }
  if (reading.file == nullptr) {
    if (!settings_.follow) {
      note_failure(reading.error ? *reading.error
                                 : fail_errno("open " + stream->path, ENOENT).value());
      end_empty(stream, batch);
    } else if (reading.error) {  // tried again when it changes
      files_.complain(stream->path, reading.error->message());
    } else {
      stream->lost = true;
      lost_.push_back(stream);
      find_lost();
    }
    return true;
  }
  if (!reading.cut) return false;
  stream->cut = true;
  if (!settings_.follow) {
    note_failure(Error(ErrorKind::kData, stream->path + ": was cut while it was read"));
  } else if (!stream->rotated) {
    log::info(context_->pipeline(),
              "file: " + stream->path + " was cut: reading it from its start");
  }
  std::string path = stream->path;
  end_empty(stream, batch);
  if (settings_.follow) discovery_->look(path);  // what it holds now is another file
  return true;
}

// Pieces of it would be taken for lines. With `follow` it is one that lies beside what is meant.
bool FileSource::cannot_unpack(const StreamRef& stream, const BatchRef& batch,
                               std::string_view content) {
  if (stream->offset > 0 || stream->gzip || settings_.compression != Compression::kAuto ||
      context_->framing()->terminator().empty())
    return false;
  const std::string_view packed = packed_as(content);
  if (packed.empty()) return false;
  const std::string what = stream->path + " is " + std::string(packed) +
                           ", which is not unpacked here: unpack it first (or have it read as it "
                           "is, by `compression` \"none\")";
  if (settings_.follow)
    files_.complain(stream->path, what + "; it is not read");
  else
    note_failure(Error(ErrorKind::kData, what));
  if (!settings_.follow || stream->ending) end_empty(stream, batch);
  return true;
}

void FileSource::learn_identity(InputStream& stream, const FileIdentity& identity, bool gzip) {
  if (stream.identity.head_bytes > 0) return;
  stream.identity = identity;
  stream.gzip = gzip;
  if (settings_.follow)
    context_->note({to_saved(stream, {stream.partition, 0, 0, false})},
                   SourceContext::Survives::kPowerCut, [](const Status&) {});
}

void FileSource::have_read(const StreamRef& stream, BatchRef batch, Reading& reading,
                           char* buffer) {
  if (stream->ended) return;
  if (cannot_read(stream, batch, reading)) return;
  short_since_.reset();
  files_.open_files().keep(*stream, reading.file);
  stream->deleted = reading.deleted;
  stream->lies_in(reading.folder);
  if (stream->rotated) watch_alone(stream);
  std::span<char> bytes(buffer + reading.front, stream->carry.size() + reading.bytes);
  if (stream->preamble_due) return have_preamble(stream, std::move(batch), bytes);
  if (reading.bytes > 0) learn_identity(*stream, reading.identity, reading.file->gzip());
  if (cannot_unpack(stream, batch, {bytes.data(), bytes.size()})) return;

  size_t grown = reading.bytes - (stream->gzip ? 0 : std::min(reading.bytes, stream->unfinished));
  if (grown > 0) rotated_->grew(*stream);
  bool whole_file = !settings_.follow || stream->gzip;
  InputState state = InputState::kMore;
  if (reading.at_end && (whole_file || stream->ending)) state = InputState::kEnd;
  if (!reading.status && whole_file) state = InputState::kBroken;
  if (!reading.status) note_failure(reading.status.error());
  uint64_t inflated = stream->gzip ? reading.file->file_offset() : 0;
  bytes_done_ += stream->gzip ? inflated - std::min(inflated, stream->inflated) : grown;
  stream->inflated = inflated;

  if (stream->offset == 0 && reading.at_end) say_cr_only(*stream, {bytes.data(), bytes.size()});
  const Filled filled =
      fill(*batch, *stream, bytes, state, *context_->framing(), settings_.max_record);
  if (filled.hole > 0) say_hole(*stream, filled);
  if (filled.more) state = InputState::kMore;
  // There may be a hole before each line, and each may be too long.
  const size_t capacity =
      filled.more ? kSmallRead
                  : next_capacity(*stream, reading.size, reading.at_end, context_->batch_bytes());
  stream->capacity = stream->gzip && !filled.more ? context_->batch_bytes() : capacity;
  batch->arrival_us = context_->loop().clock().unix_us();
  const bool any_lines = !batch->bytes.empty();
  if (batch->end.last || !batch->bytes.empty() || !batch->rejected.empty())
    context_->emit(std::move(batch));
  if (state != InputState::kMore) {
    if (stream->unended && any_lines) say_unended(*stream);
    end(stream);
  } else if (filled.more || (!reading.at_end && reading.status)) {
    turns_.add(stream);
  }
  context_->progress(bytes_done_,
                     settings_.follow ? std::nullopt : std::optional<uint64_t>(bytes_total_));
}

// The start of a file whose middle is to be read next.
void FileSource::have_preamble(const StreamRef& stream, BatchRef batch, std::span<char> bytes) {
  InputStream start;
  batch->bytes =
      cut_records(start, 0, bytes, false, *context_->framing(), settings_.max_record).whole;
  // Inflating only goes forwards: the middle is reached from the start again.
  if (stream->gzip) files_.open_files().close(*stream);
  // The start of some is a long one: the schema of a container file.
  if (batch->bytes.empty() && !bytes.empty() && stream->preamble < settings_.max_record) {
    stream->preamble *= 2;
    return turns_.add(stream);
  }
  batch->preamble = true;
  batch->begin.partition = batch->end.partition = stream->partition;
  context_->emit(std::move(batch));
  stream->preamble_due = false;
  turns_.add(stream);
}

void FileSource::end(const StreamRef& stream) {
  stream->ended = true;
  stream->carry = {};
  turns_.ended(stream);
  in_file_ = false;
  // A compressed file stays known as long as it has its name: it would be taken for a new one.
  if (settings_.follow && stream->gzip && !stream->rotated && !stream->cut && !stream->deleted) {
    files_.open_files().close(*stream);
  } else {
    files_.let_go(stream);
  }
}

// What was given of it was all.
void FileSource::end_empty(const StreamRef& stream, BatchRef batch) {
  batch->begin = {stream->partition, stream->offset, stream->line};
  batch->end = {stream->partition, stream->offset, stream->line, true};
  batch->arrival_us = context_->loop().clock().unix_us();
  context_->emit(std::move(batch));
  end(stream);
}

// A writer may have been in the middle of it.
void FileSource::say_unended(const InputStream& stream) {
  ++unended_;
  if (said_unended_.due(context_->loop().clock().monotonic_us()))
    log::info(context_->pipeline(), "file: " + stream.path +
                                        ": the last line has no end and is taken as it is; what is "
                                        "appended to it later becomes a dead letter");
}

// Nothing that was written is lost by it.
void FileSource::say_hole(const InputStream& stream, const Filled& filled) {
  if (said_hole_.due(context_->loop().clock().monotonic_us()))
    log::warn(context_->pipeline(),
              "file: " + stream.path + ": " + std::to_string(filled.hole) +
                  " NUL bytes before byte " + std::to_string(filled.hole_end) +
                  " are skipped: a hole, as a program leaves that writes on at its old place when "
                  "the file was cut (copytruncate); let it open the file for appending");
}

// As old Macs did: to leat all of the file is one line.
void FileSource::say_cr_only(InputStream& stream, std::string_view content) {
  if (stream.said_cr_only || !ends_lines_by_cr(content, *context_->framing())) return;
  stream.said_cr_only = true;
  if (said_cr_only_.due(context_->loop().clock().monotonic_us()))
    log::warn(context_->pipeline(),
              "file: " + stream.path +
                  ": its lines end with a carriage return alone, which ends no line here, so that "
                  "all of it is one; convert it first (tr '\\r' '\\n')");
}

// They come back when files are closed, here or by others.
void FileSource::wait_for_descriptors() {
  if (stopped_ || finished_ || shortage_->active()) return;
  if (!std::exchange(said_shortage_, true))
    log::warn(context_->pipeline(),
              "file: too many files are open (raise the limit: ulimit -n); waiting for one to be "
              "closed");
  for (int i = 0; i < 8 && files_.open_files().close_one(); ++i) {
  }
  const Milliseconds now = context_->loop().now();
  if (!short_since_) short_since_ = now;
  if (!settings_.follow && now - *short_since_ >= kLongestShortage && !reading_) {
    note_failure(
        Error(ErrorKind::kUnavailable, "too many files are open, and none could be opened for " +
                                           std::to_string(kLongestShortage.count() / 1000) +
                                           " s: raise the limit (ulimit -n)"));
    finished_ = true;
    return context_->finished(result());
  }
  shortage_->start(kShortage, [this] {
    shortage_->stop();
    go_on();
  });
}

// With what could not be done before.
void FileSource::go_on() {
  if (std::exchange(search_again_, false)) search_unmatched();
  for (StreamRef& stream : std::exchange(maybe_lost_, {})) lost_.push_back(std::move(stream));
  find_lost();
  probe_some();
  next();
}

void FileSource::note_failure(const Error& error) {
  log::error(context_->pipeline(), "file: " + error.message());
  ++failures_;
  if (!failure_) failure_ = error;
}

Status FileSource::result() const {
  if (!failure_) return {};
  std::string more = failures_ > 1 ? " (and " + std::to_string(failures_ - 1) + " more)" : "";
  return fail(failure_->kind(), "file: " + failure_->message() + more);
}

}  // namespace leat
