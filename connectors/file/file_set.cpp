#include "connectors/file/file_set.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace leat {
namespace {

// The number of an inode is used again for another file.
bool is_another(const InputStream& stream, const FileInfo& info) {
  return stream.identity.birth_us != 0 && info.birth_us != 0 &&
         stream.identity.birth_us != info.birth_us;
}

}  // namespace

// --- what was seen ------------------------------------------------------------------------------

void FileSet::take(const Found& found) {
  StreamRef named = at(found.path);
  if (found.error != 0) {
    if (named != nullptr) lose_name(named);
    if (found.error != ENOENT && found.error != ENOTDIR)
      complain(found.path, fail_errno("open " + found.path, found.error).value().message());
    return;
  }
  auto known = by_key_.find(found.info.key);
  StreamRef stream = known == by_key_.end() ? nullptr : known->second;
  if (stream != nullptr && is_another(*stream, found.info)) {
    stream->deleted = true;
    lose_name(stream);
    by_key_.erase(known);
    stream = nullptr;
  }
  if (named != nullptr && named != stream) lose_name(named);
  if (stream == nullptr) {
    listener_.appeared(add(found));
    return;
  }
  stream->seen = pass_;
  stream->rotated = stream->ending = stream->deleted = stream->lost = false;
  rename(stream, found.path);
  if (!stream->ended && found.info.size != stream->offset + stream->unfinished)
    listener_.grew(stream);
}

StreamRef FileSet::add(const Found& found) {
  auto stream = std::make_shared<InputStream>();
  stream->path = found.path;
  stream->key = found.info.key;
  stream->identity.birth_us = found.info.birth_us;
  stream->hard_linked = found.info.links > 1;
  stream->partition = next_partition_++;
  stream->seen = pass_;
  by_partition_[stream->partition] = stream;
  by_key_[stream->key] = stream;
  by_path_[stream->path] = stream.get();
  return stream;
}

StreamRef FileSet::add_renamed(const Search::Hit& hit) {
  if (by_key_.contains(hit.info.key)) return nullptr;
  StreamRef stream = add({hit.path, 0, hit.info, {}});
  by_path_.erase(stream->path);
  stream->rotated = true;
  return stream;
}

void FileSet::complain(const std::string& path, const std::string& what) {
  if (complaints_.insert(path).second) listener_.complain(what);
}

void FileSet::lose_name(const StreamRef& stream) {
  auto named = by_path_.find(stream->path);
  if (named != by_path_.end() && named->second == stream.get()) by_path_.erase(named);
  if (!std::exchange(stream->rotated, true)) listener_.rotated(stream);
}

void FileSet::rename(const StreamRef& stream, const std::string& path) {
  auto named = by_path_.find(stream->path);
  if (named != by_path_.end() && named->second == stream.get()) by_path_.erase(named);
  stream->rename(path);
  by_path_[stream->path] = stream.get();
}

void FileSet::let_go(const StreamRef& stream) {
  open_.close(*stream);
  stream->ended = true;
  stream->watch.reset();
  auto named = by_path_.find(stream->path);
  if (named != by_path_.end() && named->second == stream.get()) by_path_.erase(named);
  auto known = by_key_.find(stream->key);
  if (known != by_key_.end() && known->second == stream) by_key_.erase(known);
}

void FileSet::stop_watching() {
  for (const auto& [key, stream] : by_key_) stream->watch.reset();
}

StreamRef FileSet::at(const std::string& path) const {
  auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : by_key_.at(found->second->key);
}

StreamRef FileSet::with_key(const FileKey& key) const {
  auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

const StreamRef* FileSet::find(uint32_t partition) const {
  auto found = by_partition_.find(partition);
  return found == by_partition_.end() ? nullptr : &found->second;
}

std::vector<std::string> FileSet::unseen() {
  std::vector<std::string> out;
  for (const auto& [path, stream] : by_path_)
    if (stream->seen != pass_) out.emplace_back(path);
  ++pass_;
  return out;
}

// --- what was saved -----------------------------------------------------------------------------

void FileSet::remember(ResumePoint point) {
  known_as_.emplace(fnv1a(point.path), point.identity.inode);
  points_.emplace(point.identity.inode, std::move(point));
}

std::vector<ResumePoint> FileSet::candidates(const InputStream& stream) const {
  std::vector<ResumePoint> out;
  auto [at, last] = points_.equal_range(stream.key.inode);
  for (; at != last; ++at) out.push_back(at->second);
  return out;
}

void FileSet::resume(InputStream& stream, const ResumePoint& point) {
  stream.resume(point);
  drop(point);
}

void FileSet::drop(const ResumePoint& point) {
  auto [at, last] = points_.equal_range(point.identity.inode);
  while (at != last && at->second.identity != point.identity) ++at;
  if (at != last) points_.erase(at);
}

std::vector<ResumePoint> FileSet::unmatched() const {
  std::vector<ResumePoint> out;
  for (const auto& [inode, point] : points_) out.push_back(point);
  return out;
}

bool FileSet::was_known_as(const std::string& path) const {
  auto [at, last] = known_as_.equal_range(fnv1a(path));
  for (; at != last; ++at) {
    auto [point, end] = points_.equal_range(at->second);
    for (; point != end; ++point)
      if (point->second.path == path && point->second.offset > 0) return true;
  }
  return false;
}

}  // namespace leat
