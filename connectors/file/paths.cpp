#include "connectors/file/paths.h"

#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>

namespace leat {
namespace {

std::vector<std::string> glob_paths(const std::string& pattern, int flags = 0) {
  std::vector<std::string> out;
  glob_t found{};
  if (::glob(pattern.c_str(), flags, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; ++i) out.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  return out;
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string parent(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string nearest_folder(std::string path) {
  while (!is_folder(path) && path != "/" && path != ".") path = parent(path);
  return path;
}

}  // namespace

bool is_glob(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

std::vector<std::string> expand(const std::vector<std::string>& patterns) {
  std::vector<std::string> out;
  auto add = [&out](const std::string& path) {
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(path);
  };
  for (const std::string& pattern : patterns) {
    if (!is_glob(pattern)) {
      add(pattern);
      continue;
    }
    for (const std::string& path : glob_paths(pattern))
      if (!is_folder(path)) add(path);
  }
  return out;
}

bool matches(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(), [&path](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
  });
}

std::set<std::string> folders_to_watch(const std::vector<std::string>& patterns) {
  std::set<std::string> out;
  for (const std::string& pattern : patterns) {
    std::string level = parent(pattern);
    for (; is_glob(level); level = parent(level))
      for (const std::string& folder : glob_paths(level, GLOB_ONLYDIR))
        if (is_folder(folder)) out.insert(folder);
    out.insert(nearest_folder(level));
  }
  return out;
}

}  // namespace leat
