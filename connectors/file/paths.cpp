#include "connectors/file/paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <span>
#include <utility>

#include "base/folder.h"

namespace leat {
namespace {

constexpr std::string_view kAnyFolders = "**";
constexpr int kMostLinks = 40;  // as Linux

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_link(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) out.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

std::string join(const std::string& folder, const std::string& name) {
  return folder == "/" ? folder + name : folder + "/" + name;
}

// The length of the set that `text` begins with, 0 when its end is missing: there a bracket is one.
size_t set_length(std::string_view text) {
  size_t first = text.substr(1).starts_with('!') || text.substr(1).starts_with('^') ? 2 : 1;
  size_t end = text.find(']', first + 1);  // the first of a set may be a bracket itself
  return end == std::string_view::npos ? 0 : end + 1;
}

// A part of a pattern as SQLite's GLOB has it: [^a] for [!a], and a set of one for what stands
// behind a backslash.
std::string glob_of(std::string_view part) {
  std::string out;
  while (!part.empty()) {
    const size_t set = part[0] == '[' ? set_length(part) : 0;
    if (set > 0) {
      size_t at = out.size() + 1;
      out += part.substr(0, set);
      if (out[at] == '!') out[at] = '^';
      part.remove_prefix(set);
      continue;
    }
    if (part[0] == '\\' && part.size() > 1)
      part.remove_prefix(1), out.append({'[', part[0], ']'});
    else if (part[0] == '[')
      out += "[[]";
    else
      out += part[0];
    part.remove_prefix(1);
  }
  return out;
}

// By SQLite, which is there anyway: fnmatch(3) brings 13 KB of locales into a static binary, and
// takes the bytes of a letter of UTF-8 for several.
bool part_matches(const std::string& part, const char* name) {
  if (*name == '.' && !part.starts_with('.')) return false;
  return ::sqlite3_strglob(part.c_str(), name) == 0;
}

// Whether `names` can be what `parts` begins with, or with `whole` all of it.
bool match(std::span<const std::string> parts, std::span<const std::string> names, bool whole) {
  while (!names.empty()) {
    if (parts.empty()) return false;
    if (parts[0] == kAnyFolders) {
      if (match(parts.subspan(1), names, whole)) return true;
      if (names[0].starts_with('.')) return false;
    } else {
      if (!part_matches(parts[0], names[0].c_str())) return false;
      parts = parts.subspan(1);
    }
    names = names.subspan(1);
  }
  if (!whole) return true;
  while (!parts.empty() && parts[0] == kAnyFolders) parts = parts.subspan(1);
  return parts.empty();
}

// Whether it is one; `*error`: it may be, but that cannot be seen.
bool is_folder(const std::string& path, int* error) {
  struct stat info {};
  *error = ::stat(path.c_str(), &info) == 0 ? 0 : errno;
  if (*error == 0) return S_ISDIR(info.st_mode);
  if (*error == ENOENT || *error == ENOTDIR) *error = 0;
  return false;
}

// What cannot be read cannot be watched either.
bool may_be_read(const std::string& folder) {
  return ::faccessat(AT_FDCWD, folder.c_str(), R_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES;
}

std::vector<std::string> folders_in(const std::string& folder, int* error) {
  std::vector<std::string> out;
  DIR* open = ::opendir(folder.c_str());
  *error = open == nullptr && errno != ENOENT ? errno : 0;
  if (open == nullptr) return out;
  while (const dirent* entry = ::readdir(open)) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool perhaps =
        entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
    if (perhaps && is_folder(join(folder, name))) out.push_back(std::move(name));
  }
  ::closedir(open);
  std::sort(out.begin(), out.end());
  return out;
}

// Puts "x{a,b}y" as "xay" and "xby" into `out`. Braces without a comma mean themselves.
void expand_braces(const std::string& text, std::vector<std::string>& out) {
  for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
    std::vector<std::string> choices(1);
    int depth = 0;
    for (size_t i = open + 1; i < text.size(); ++i) {
      char c = text[i];
      if (c == '}' && depth == 0) {
        if (choices.size() == 1) break;
        for (const std::string& choice : choices)
          expand_braces(text.substr(0, open) + choice + text.substr(i + 1), out);
        return;
      }
      if (c == ',' && depth == 0) {
        choices.emplace_back();
        continue;
      }
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      choices.back() += c;
    }
  }
  out.push_back(text);
}

}  // namespace

PathPattern::PathPattern(std::string path, bool literal) : text_(std::move(path)) {
  if (literal || !has_wildcard(text_)) return;
  parts_ = split(text_);
  for (std::string& part : parts_)
    if (has_wildcard(part)) part = glob_of(part);
  if (parts_.back() == kAnyFolders) parts_.emplace_back("*");
}

bool PathPattern::matches(const std::string& path) const {
  return is_glob() ? match(parts_, split(path), true) : path == text_;
}

bool PathPattern::matches_folder(const std::string& path) const {
  if (!is_glob()) return text_.starts_with(path == "/" ? path : path + "/");
  return match(std::span(parts_).first(parts_.size() - 1), split(path), false);
}

bool PathPattern::matches_name(const char* name) const {
  return part_matches(parts_.back(), name);
}

struct PathPattern::Walk {
  std::vector<std::string> folders;
  std::set<std::string>& watch;
  Unreadable& unreadable;

  void cannot_read(const std::string& folder, int error) {
    unreadable[folder] = error;
    watch.insert(folder_of(folder));
  }
};

std::vector<std::string> PathPattern::folders(std::set<std::string>& watch,
                                              Unreadable& unreadable) const {
  Walk out{{}, watch, unreadable};
  if (is_glob()) {
    walk("/", 0, false, out);
    // Several "**" may lead to one folder in several ways.
    std::set<std::string> seen;
    std::erase_if(out.folders,
                  [&seen](const std::string& folder) { return !seen.insert(folder).second; });
    return std::move(out.folders);
  }
  std::string folder = folder_of(text_);
  if (is_folder(folder)) out.folders.push_back(folder);
  while (!is_folder(folder) && folder != "/") folder = folder_of(folder);
  watch.insert(folder);
  return std::move(out.folders);
}

void PathPattern::walk(const std::string& folder, size_t part, bool globbed, Walk& out) const {
  int error = 0;
  if (part + 1 == parts_.size()) {
    if (!may_be_read(folder)) return out.cannot_read(folder, EACCES);
    out.watch.insert(folder);
    out.folders.push_back(folder);
    return;
  }
  const std::string& wanted = parts_[part];
  if (!has_wildcard(wanted)) {
    std::string next = join(folder, wanted);
    bool there = is_folder(next, &error);
    if (error != 0) return out.cannot_read(next, error);
    if (globbed || !there) out.watch.insert(folder);
    if (there) walk(next, part + 1, globbed, out);
    return;
  }
  std::vector<std::string> names = folders_in(folder, &error);
  if (error != 0) return out.cannot_read(folder, error);
  out.watch.insert(folder);
  bool any = wanted == kAnyFolders;
  if (any) walk(folder, part + 1, true, out);
  for (const std::string& name : names) {
    std::string next = join(folder, name);
    if (any ? name.starts_with('.') || is_link(next)  // a link may lead in a circle
            : !part_matches(wanted, name.c_str()))
      continue;
    walk(next, any ? part : part + 1, true, out);
  }
}

std::vector<PathPattern> patterns_of(const std::vector<std::string>& paths) {
  std::vector<PathPattern> out;
  struct stat info {};
  for (const std::string& path : paths) {
    std::vector<std::string> expanded;
    if (::lstat(path.c_str(), &info) == 0) {
      out.emplace_back(path, true);
      continue;
    }
    expand_braces(path, expanded);
    for (std::string& one : expanded) out.emplace_back(std::move(one));
  }
  return out;
}

bool matches(const std::vector<PathPattern>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&path](const PathPattern& pattern) { return pattern.matches(path); });
}

std::vector<std::string> links_behind(const std::string& path) {
  std::vector<std::string> out;
  std::vector<std::string> names = split(path);
  std::deque<std::string> left(names.begin(), names.end());
  std::string at = "/";
  for (int links = 0; !left.empty();) {
    std::string name = std::move(left.front());
    left.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      at = folder_of(at);
      continue;
    }
    std::string next = join(at, name);
    char target[PATH_MAX];
    ssize_t size = ::readlink(next.c_str(), target, sizeof target);
    if (size <= 0) {
      at = std::move(next);
      continue;
    }
    out.push_back(next);
    if (++links > kMostLinks) return out;
    std::string_view text(target, static_cast<size_t>(size));
    if (text.starts_with('/')) at = "/";
    std::vector<std::string> behind = split(text);
    left.insert(left.begin(), behind.begin(), behind.end());
  }
  if (!out.empty()) out.push_back(at);
  return out;
}

}  // namespace leat
