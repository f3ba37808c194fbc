// Paths and globs of the file source, and the folders whose changes matter to them.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace leat {

bool is_glob(const std::string& path);  // has *, ? or [

// The existing files that `patterns` name, without duplicates, in the order of the patterns; of one
// glob in the order of their names. Folders that a glob matches are left out; a plain path is kept
// as it is, whether it exists or not.
std::vector<std::string> expand(const std::vector<std::string>& patterns);

// True when `path` is one that a pattern names.
bool matches(const std::vector<std::string>& patterns, const std::string& path);

// The folders to watch so that any new match is noticed: for "/var/*/app-*.log" the folder /var and
// every /var/X; of a folder that does not exist the nearest one above it that does.
std::set<std::string> folders_to_watch(const std::vector<std::string>& patterns);

}  // namespace leat
