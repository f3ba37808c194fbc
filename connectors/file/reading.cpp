#include "connectors/file/reading.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/folder.h"
#include "connectors/file/paths.h"

namespace leat {
namespace {

std::string join(const std::string& folder, const char* name) {
  return folder == "/" ? folder + name : folder + "/" + name;
}

// Calls f(path, info) for each file in `folder` until it returns false. An errno value when the
// folder is there and cannot be read to its end.
template <typename F>
int each_file(const std::string& folder, F&& f) {
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
  errno = 0;
  while (const dirent* entry = ::readdir(open)) {
    std::string path = join(folder, entry->d_name);
    FileInfo info;
    bool file = entry->d_type != DT_DIR && look_at(path, info, false) == 0 && S_ISREG(info.mode);
    if (file && !f(path, info)) break;
    errno = 0;
  }
  int error = errno;
  ::closedir(open);
  return error;
}

bool open_if_it_is(Opening& what, const std::string& path) {
  int error_number = 0;
  Result<std::shared_ptr<InputFile>> file = InputFile::open(path, what.compression, &error_number);
  if (!file) {
    what.shortage = InputFile::is_shortage(error_number);
    what.gone = error_number == ENOENT || error_number == ENOTDIR;
    if (!what.shortage && !what.gone) what.error = file.error();
    return false;
  }
  Result<FileInfo> info = (*file)->info();
  what.gone = !info || info->key != what.key;
  if (what.gone) return false;
  what.bytes_in_all = info->size;
  what.file = std::move(*file);
  return true;
}

bool open(Opening& what) {
  if (what.file == nullptr && !open_if_it_is(what, what.path)) return false;
  what.folder = what.file->folder();
  return true;
}

// Looks for those that were not found yet in the folder that `where` tells of each, if any.
template <typename F>
void find_in(std::vector<Lost>& lost, F&& where) {
  std::map<std::string, std::unordered_multimap<FileKey, Lost*>> by_folder;
  for (Lost& one : lost)
    if (std::string folder = where(one); one.found.empty() && !folder.empty())
      by_folder[folder].emplace(one.key, &one);
  for (auto& entry : by_folder) {
    auto& wanted = entry.second;
    int error = each_file(entry.first, [&wanted](const std::string& path, const FileInfo& info) {
      auto found = wanted.find(info.key);
      if (found == wanted.end()) return true;
      found->second->found = path;
      wanted.erase(found);
      return !wanted.empty();
    });
    if (error == 0) continue;
    for (const auto& [key, one] : wanted) {
      one->error = error;
      one->unreadable = entry.first;
    }
  }
}

struct Sought {
  ResumePoint point;
  bool found = false;
  bool perhaps = false;  // a file that cannot be opened now is none that is gone
  bool gone = false;     // from the folder it lay in
};

// What lies on a file system that is not there now (a stick, a network) is not gone.
uint64_t file_system_around(std::string folder) {
  while (::access(folder.c_str(), F_OK) != 0 && folder.size() > 1) folder = folder_of(folder);
  return file_system_of(folder);
}

// Older versions did not save where a link led.
bool lay_in(const ResumePoint& point, const std::string& folder) {
  return point.home() == folder && (!point.folder.empty() || links_behind(point.path).empty());
}

// Looks for those that were not found yet in the folder that `where` tells of each, if any.
template <typename F>
void search_in(std::vector<Sought>& all, F&& where, Search& search) {
  std::map<std::string, std::unordered_multimap<uint64_t, Sought*>> by_folder;
  for (Sought& one : all)
    if (std::string folder = where(one); !one.found && !folder.empty())
      by_folder[folder].emplace(one.point.identity.inode, &one);
  for (auto& entry : by_folder) {
    auto& wanted = entry.second;
    int error = each_file(entry.first, [&](const std::string& path, const FileInfo& info) {
      auto [at, last] = wanted.equal_range(info.key.inode);
      while (at != last) {
        Sought& one = *at->second;
        Opening opening;
        opening.key = info.key;
        bool opened = open_if_it_is(opening, path);
        if (opened && still_holds(*opening.file, one.point)) {
          one.found = true;
          search.found.push_back({one.point, path, info});
          at = wanted.erase(at);
        } else {
          if (!opened && !opening.gone) one.perhaps = true;
          search.shortage |= opening.shortage;
          ++at;
        }
      }
      return true;
    });
    // Nor does a folder tell that cannot be read.
    if (error != 0) search.unreadable[entry.first] = error;
    search.shortage |= InputFile::is_shortage(error);
    uint64_t file_system = error == 0 ? file_system_around(entry.first) : 0;
    if (file_system == 0) continue;
    for (const auto& [inode, one] : wanted)
      if (file_system == one->point.file_system && lay_in(one->point, entry.first))
        one->gone = true;
  }
}

}  // namespace

void probe(Probe& probe) {
  if (!open(probe)) return;
  probe.identity = probe.file->identity();
  probe.file_system = probe.file->file_system();
  for (const ResumePoint& candidate : probe.candidates) {
    if (!still_holds(*probe.file, candidate)) continue;
    probe.match = candidate;
    return;
  }
}

void read(Reading& reading) {
  if (!open(reading)) return;
  InputFile& file = *reading.file;
  if (reading.so_far.identity.head_bytes == 0) file.look_for_gzip();
  InputFile::Read got;
  if (file.gzip()) {
    got.status = file.skip_to(reading.so_far.offset);
    if (got.status) got = file.read(reading.buffer + reading.front, reading.size);
    reading.bytes = got.bytes;
    reading.at_end = got.bytes == 0;
  } else {
    got = file.read_at(reading.so_far.offset - reading.front, reading.buffer,
                       reading.front + reading.size);
    reading.bytes = got.bytes - std::min(got.bytes, reading.front);
    reading.at_end = reading.bytes < reading.size;
  }
  reading.status = std::move(got.status);
  if (Result<FileInfo> info = file.info()) reading.deleted = info->links == 0;
  if (reading.so_far.identity.head_bytes == 0) {
    reading.identity = file.identity();
  } else if (reading.verify) {
    // After reading: what was rewritten in the meantime is noticed, too.
    reading.cut = !still_holds(file, reading.so_far);
  }
}

void find(std::vector<Lost>& lost) {
  auto its_path = [](const Lost& one) { return folder_of(one.path); };
  find_in(lost, its_path);
  find_in(lost, [&](const Lost& one) { return one.home == its_path(one) ? "" : one.home; });
}

void search(Search& search) {
  std::vector<Sought> all;
  for (ResumePoint& point : search.points) all.push_back({.point = std::move(point)});
  auto home = [](const Sought& one) { return one.point.home(); };
  search_in(all, home, search);
  auto its_path = [](const Sought& one) {
    std::string folder = folder_of(one.point.path);
    return folder == one.point.home() ? "" : folder;
  };
  search_in(all, its_path, search);
  for (Sought& one : all)
    if (one.gone && !one.found && !one.perhaps) search.gone.push_back(std::move(one.point));
}

}  // namespace leat
