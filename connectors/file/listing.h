// The files that patterns name, looked at a few at a time.
//
// Thread: one at a time (the pool). It blocks.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "connectors/file/input_file.h"
#include "connectors/file/paths.h"

namespace leat {

// What is at a path.
struct Found {
  std::string path;
  int error = 0;  // errno value of looking; 0: `info` is right
  FileInfo info;
  std::vector<std::string> links;  // links_behind(path), when it is a link
};
Found find_file(std::string path);

// Where something must be noticed so that no new match is missed.
struct Surroundings {
  std::set<std::string> folders;
  std::set<std::string> links;  // names that decide where one of `folders` is
  bool shortage = false;        // of descriptors: to be asked again
};

class Listing {
 public:
  explicit Listing(const std::vector<PathPattern>& patterns) : patterns_(patterns) {}

  // First.
  Surroundings surroundings();
  // Adds some more to `out`: plain paths whether they exist or not, in the order of the patterns;
  // of one pattern in the order of the names. Folders are left out. False when these were the last.
  bool more(std::vector<Found>& out);
  // The last call did nothing for want of a descriptor.
  bool shortage() const { return shortage_; }
  // So far.
  const Unreadable& unreadable() const { return unreadable_; }

 private:
  struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  bool open_next();
  void read_names();

  const std::vector<PathPattern>& patterns_;
  std::vector<std::vector<std::string>> folders_;  // of each pattern
  size_t pattern_ = 0;
  size_t folder_ = 0;
  std::unique_ptr<DIR, CloseFolder> open_;  // being read
  std::string folder_path_;
  std::vector<std::string> names_;  // of the folder, with it; sorted when all have been read
  size_t name_ = 0;
  bool shortage_ = false;
  Unreadable unreadable_;
};

}  // namespace leat
