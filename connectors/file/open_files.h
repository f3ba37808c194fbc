// The files that are kept open. Reading opens a file for a moment whenever it must; to keep it open
// spares that, and keeps what was not read yet of a file that is deleted. Descriptors are shared
// with all pipelines, their sinks and the journal: this takes at most half of what there are.
//
// Thread: the loop's.
#pragma once

#include <atomic>
#include <list>
#include <memory>

#include "connectors/file/stream.h"

namespace leat {

class OpenFiles {
 public:
  OpenFiles() = default;
  ~OpenFiles();
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

  // Files that all sources of this process keep open at most, beside the one each is reading.
  static size_t most();

  // `stream` was used last of all. Closes others when there are too many.
  void keep(InputStream& stream, std::shared_ptr<InputFile> file);
  void close(InputStream& stream);
  // Closes the one whose turn was longest ago, if there is one that can be opened again.
  bool close_one();

 private:
  static std::atomic<size_t> open_;  // of all sources
  std::list<InputStream*> order_;    // the one used last is at the end
};

}  // namespace leat
