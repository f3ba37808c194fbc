#include "connectors/file/file_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "connectors/file/paths.h"

namespace leat {

void FileSet::open(SourceContext& context) {
  context_ = &context;
  for (const SavedPosition& saved : context.saved()) {
    ResumePoint point;
    if (from_saved(saved, point)) resume_points_.push_back(point);
  }
}

const InputStream* FileSet::find(uint32_t partition) const {
  auto found = by_partition_.find(partition);
  return found == by_partition_.end() ? nullptr : found->second.get();
}

void FileSet::list() {
  for (const std::string& path : expand(patterns_)) {
    pending_.push_back(path);
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) bytes_total_ += static_cast<uint64_t>(info.st_size);
  }
  if (pending_.empty())
    log::warn(context_->pipeline(), "file: nothing to read: no file matches " + patterns_[0] +
                                        (patterns_.size() > 1 ? " and the other paths" : ""));
}

bool FileSet::open_next() {
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

void FileSet::note_failure(const Error& error) {
  log::error(context_->pipeline(), "file: " + error.message());
  ++failures_;
  if (!failure_) failure_ = error;
}

Status FileSet::result() const {
  if (!failure_) return {};
  std::string more = failures_ > 1 ? " (and " + std::to_string(failures_ - 1) + " more)" : "";
  return fail(failure_->kind(), "file: " + failure_->message() + more);
}

std::shared_ptr<InputStream> FileSet::make_stream(const std::string& path,
                                                  std::shared_ptr<InputFile> file) {
  auto stream = std::make_shared<InputStream>();
  stream->path = path;
  stream->file = std::move(file);
  stream->partition = next_partition_++;
  by_partition_[stream->partition] = stream;
  return stream;
}

void FileSet::add(const std::string& path, std::shared_ptr<InputFile> file) {
  std::shared_ptr<InputStream> stream = make_stream(path, std::move(file));
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

// --- following ----------------------------------------------------------------------------------

void FileSet::look_again() {
  for (const std::string& path : expand(patterns_)) consider(path);
  for (const std::shared_ptr<InputStream>& stream : streams_) check_rotation(*stream);
}

// Opens the file at `path` unless it is being read already, perhaps under another name.
void FileSet::consider(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return;  // not there yet
  for (const std::shared_ptr<InputStream>& stream : streams_) {
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

void FileSet::find_renamed() {
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
      break;
    }
  }
}

void FileSet::check_rotation(InputStream& stream) {
  if (stream.ended || stream.rotated) return;
  struct stat there {};
  Result<struct stat> mine = stream.file->status();
  bool same = mine && ::stat(stream.path.c_str(), &there) == 0 && there.st_ino == mine->st_ino &&
              there.st_dev == mine->st_dev;
  if (!same) note_rotated(stream);
}

void FileSet::note_rotated(InputStream& stream) {
  stream.rotated = true;
  stream.rotated_us = context_->clock().monotonic_us();
  stream.dirty = true;
}

bool FileSet::grew(const std::string& path) {
  bool known = !matches(patterns_, path);
  for (const std::shared_ptr<InputStream>& stream : streams_) {
    if (stream->path == path) known = true;
    // A rotated file grows under a name that is not known here.
    if (stream->path == path || stream->rotated) stream->dirty = true;
  }
  return known;
}

bool FileSet::was_cut(const InputStream& stream) const {
  if (stream.file->gzip() || stream.identity.head_bytes == 0 || stream.start > 0) return false;
  Result<struct stat> info = stream.file->status();
  if (!info) return false;
  return static_cast<uint64_t>(info->st_size) < stream.file->offset() ||
         stream.file->identity(stream.identity.head_bytes) != stream.identity;
}

void FileSet::replace_cut(std::shared_ptr<InputStream>& stream) {
  Result<std::shared_ptr<InputFile>> again = reopen(*stream);
  if (!again) return note_rotated(*stream);
  log::info(context_->pipeline(), "file: " + stream->path + " was cut: reading it from its start");
  stream = make_stream(stream->path, std::move(*again));
}

void FileSet::drop_ended() {
  // A compressed file stays: it would be taken for a new one otherwise.
  std::erase_if(streams_, [](const auto& stream) { return stream->ended && stream->rotated; });
}

}  // namespace leat
