// The files of a source: which are known, under which names, and what was read of them before.
//
// Everything is found by a hash: by (device, inode), by path, by partition. Nothing here looks at
// the disk; what the pool saw is told to it.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/file/listing.h"
#include "connectors/file/open_files.h"
#include "connectors/file/reading.h"
#include "connectors/file/stream.h"

namespace leat {

class FileSet {
 public:
  struct Listener {
    std::function<void(const StreamRef&)> appeared;  // not probed yet
    std::function<void(const StreamRef&)> grew;
    std::function<void(const StreamRef&)> rotated;
    std::function<void(const std::string&)> complain;  // said once for each path
  };
  explicit FileSet(Listener listener) : listener_(std::move(listener)) {}

  // What is saved about files; may be called several times.
  void remember(ResumePoint point);

  // --- what was seen ---
  void take(const Found& found);
  // A file that has lost its name while nobody looked. Null when it is known already.
  StreamRef add_renamed(const Search::Hit& hit);
  StreamRef add(const Found& found);
  // What a name leads to that is no file, or that cannot be opened.
  void complain(const std::string& path, const std::string& what);
  void recovered(const std::string& path) { complaints_.erase(path); }
  // The name belongs to another file now, or to none.
  void lose_name(const StreamRef& stream);
  void rename(const StreamRef& stream, const std::string& path);

  // --- what was saved ---
  std::vector<ResumePoint> candidates(const InputStream& stream) const;
  // The stream goes on at this one, which is then nobody else's.
  void resume(InputStream& stream, const ResumePoint& point);
  // Those that no file was found for, yet.
  std::vector<ResumePoint> unmatched() const;
  void drop(const ResumePoint& point);
  bool was_known_as(const std::string& path) const;

  // --- which are known ---
  StreamRef at(const std::string& path) const;
  StreamRef with_key(const FileKey& key) const;
  const StreamRef* find(uint32_t partition) const;
  // It is not followed any more; known by its partition only.
  void let_go(const StreamRef& stream);
  void stop_watching();
  void forget(uint32_t partition) { by_partition_.erase(partition); }
  OpenFiles& open_files() { return open_; }
  // Paths of the files that take() was not told of since the last call.
  std::vector<std::string> unseen();

 private:
  const Listener listener_;
  OpenFiles open_;
  std::unordered_map<FileKey, StreamRef> by_key_;
  std::unordered_map<std::string_view, InputStream*> by_path_;  // keys are the streams' own
  std::unordered_map<uint32_t, StreamRef> by_partition_;
  std::unordered_multimap<uint64_t, ResumePoint> points_;  // by inode
  std::unordered_multimap<uint64_t, uint64_t> known_as_;   // inode by hash of the path
  std::set<std::string> complaints_;
  uint32_t next_partition_ = 1;
  uint32_t pass_ = 1;
};

}  // namespace leat
