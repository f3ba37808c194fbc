// Paths and patterns of the file source, and the folders whose changes matter to them.
//
// In a pattern * and ? stand for any characters of one name, [a-z] for one of these and [!a-z] for
// any other, ** for any number of folders, {a,b} for one of the alternatives; behind a backslash
// each stands for itself, and in a set the backslash does. Names that begin with a dot match only a
// pattern that begins with one. What exists under exactly the text of a pattern is meant itself.
//
// Thread: any.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// Folders that are there, as far as one can tell, and cannot be looked into: an errno value of
// each.
using Unreadable = std::map<std::string, int>;

class PathPattern {
 public:
  explicit PathPattern(std::string path, bool literal = false);

  bool is_glob() const { return !parts_.empty(); }
  const std::string& text() const { return text_; }
  // True when `path` is one that this names.
  bool matches(const std::string& path) const;
  // True when a match could lie in or below `path`, or `path` is a part of every match.
  bool matches_folder(const std::string& path) const;
  // True when a file of this name, in one of folders(), is a match.
  bool matches_name(const char* name) const;
  // The existing folders in which matches lie or will lie, in the order of their names. `watch`:
  // those that must be watched so that any new match is noticed; of a folder that does not exist
  // the nearest one above it that does. Of a glob, those in `unreadable` are left out, and what
  // is above each is to be watched.
  std::vector<std::string> folders(std::set<std::string>& watch, Unreadable& unreadable) const;

 private:
  struct Walk;
  void walk(const std::string& folder, size_t part, bool globbed, Walk& out) const;

  std::string text_;
  std::vector<std::string> parts_;  // of a glob; the last is the name
};

// What the user wrote, alternatives expanded.
std::vector<PathPattern> patterns_of(const std::vector<std::string>& paths);

bool matches(const std::vector<PathPattern>& patterns, const std::string& path);

// The names that decide where `path` leads, when it leads through symbolic links: each link, and
// what it ends at. Empty when there are none.
std::vector<std::string> links_behind(const std::string& path);

}  // namespace leat
