// What is done with files on the pool: looking what one is, reading a piece of it (one that is
// closed is opened for that), and finding those that were renamed.
//
// Thread: any; everything here blocks, and touches nothing but its argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/file/paths.h"
#include "connectors/file/stream.h"

namespace leat {

// Which file is meant, and what became of opening it.
struct Opening {
  std::string path;
  FileKey key;
  Compression compression = Compression::kAuto;
  std::shared_ptr<InputFile> file;  // null: to be opened
  // Out, when it was opened:
  uint64_t bytes_in_all = 0;
  std::string folder;  // InputFile::folder()
  // Out, else:
  bool shortage = false;       // no descriptor is free: it may be opened later
  bool gone = false;           // it is not there any more
  std::optional<Error> error;  // it is there and cannot be opened
};

struct Probe : Opening {
  std::vector<ResumePoint> candidates;
  // Out:
  FileIdentity identity;
  uint64_t file_system = 0;
  std::optional<ResumePoint> match;  // of the candidates
};
void probe(Probe& probe);

struct Reading : Opening {
  ReadSoFar so_far;
  bool verify = false;     // compare with so_far
  char* buffer = nullptr;  // with room for `front` + `size` bytes
  size_t front = 0;        // bytes before the offset, to be read again
  size_t size = 0;
  // Out:
  size_t bytes = 0;       // behind the front
  bool at_end = false;    // nothing more is there now
  bool cut = false;       // it does not hold any more what was read of it
  bool deleted = false;   // it has no name any more
  FileIdentity identity;  // when it was not known yet
  Status status;
};
void read(Reading& reading);

// A file that is not at its path any more; `found` is where it is in the folder of its path, else
// in the one it lay in, or "".
struct Lost {
  std::string path;
  FileKey key;
  std::string home;  // ResumePoint::home()
  std::string found = {};
  // An errno value, when it was not found: in this folder it may be, which cannot be read.
  int error = 0;
  std::string unreadable = {};
};
void find(std::vector<Lost>& lost);

// Which of `points` are still there: each that is found in the folder it lay in, else in that of
// its path, whatever its name is now, is in `found` with that name. Of the others `gone` has those
// that are known to be gone from the folder they lay in.
struct Search {
  std::vector<ResumePoint> points;
  struct Hit {
    ResumePoint point;
    std::string path;
    FileInfo info;
  };
  std::vector<Hit> found;
  std::vector<ResumePoint> gone;
  Unreadable unreadable;  // folders in which others of them may be
  bool shortage = false;  // something could not be opened for want of descriptors
};
void search(Search& search);

}  // namespace leat
