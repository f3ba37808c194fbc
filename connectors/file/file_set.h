// The files of a source: which there are, which of them are being read, and which were renamed,
// replaced or cut in the meantime.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connectors/file/input_file.h"
#include "connectors/file/stream.h"
#include "stage/source.h"

namespace leat {

class FileSet {
 public:
  // `patterns` are absolute paths and globs.
  FileSet(std::vector<std::string> patterns, Compression compression)
      : patterns_(std::move(patterns)), compression_(compression) {}

  // Takes the saved positions from `context`, which must outlive this.
  void open(SourceContext& context);

  // --- bounded: one file after the other ---
  void list();
  // Opens files in order until one can be read; false when there are no more.
  bool open_next();
  uint64_t bytes_total() const { return bytes_total_; }  // of all files, compressed as they are
  // The good files around a bad one are read; the first error is the source's result in the end.
  void note_failure(const Error& error);
  Status result() const;

  // --- following ---
  // Opens what is new, and notices what was renamed or deleted.
  void look_again();
  // Opens files that were rotated away while the agent was down and were not read to their end.
  void find_renamed();
  // The file at `path` has grown. False when it is one that is not known yet.
  bool grew(const std::string& path);
  // True when the file is shorter than what was read of it, or begins otherwise: it was emptied and
  // written anew (copytruncate).
  bool was_cut(const InputStream& stream) const;
  // What a cut file holds now is another stream, which takes the place of `stream`; that one stays
  // known for the positions under way.
  void replace_cut(std::shared_ptr<InputStream>& stream);
  void drop_ended();

  const std::vector<std::string>& patterns() const { return patterns_; }
  // Being read; bounded: one at most.
  std::vector<std::shared_ptr<InputStream>>& streams() { return streams_; }
  // Opens a file again from its start.
  Result<std::shared_ptr<InputFile>> reopen(const InputStream& stream) const {
    return InputFile::open(stream.path, compression_);
  }

  // --- by partition: also those that have ended, until all of them is acknowledged ---
  const InputStream* find(uint32_t partition) const;
  void forget(uint32_t partition) { by_partition_.erase(partition); }

 private:
  void add(const std::string& path, std::shared_ptr<InputFile> file);
  std::shared_ptr<InputStream> make_stream(const std::string& path,
                                           std::shared_ptr<InputFile> file);
  void consider(const std::string& path);
  void check_rotation(InputStream& stream);
  void note_rotated(InputStream& stream);

  const std::vector<std::string> patterns_;
  const Compression compression_;
  SourceContext* context_ = nullptr;
  std::vector<ResumePoint> resume_points_;
  std::deque<std::string> pending_;  // bounded: not opened yet
  std::vector<std::shared_ptr<InputStream>> streams_;
  std::map<uint32_t, std::shared_ptr<InputStream>> by_partition_;
  std::set<std::string> unreadable_;  // following: said so
  uint32_t next_partition_ = 1;
  uint64_t bytes_total_ = 0;
  std::optional<Error> failure_;
  int failures_ = 0;
};

}  // namespace leat
