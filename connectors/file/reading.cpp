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

namespace leat {
namespace {

std::string join(const std::string& folder, const char* name) {
  return folder == "/" ? folder + name : folder + "/" + name;
}

// Calls f(path, info) for each file in `folder` until it returns false. False when the folder is
// there and cannot be read to its end.
template <typename F>
bool each_file(const std::string& folder, F&& f) {
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return errno == ENOENT;
  errno = 0;
  while (const dirent* entry = ::readdir(open)) {
    std::string path = join(folder, entry->d_name);
    FileInfo info;
    bool file = entry->d_type != DT_DIR && look_at(path, info, false) == 0 && S_ISREG(info.mode);
    if (file && !f(path, info)) break;
    errno = 0;
  }
  bool whole = errno == 0;
  ::closedir(open);
  return whole;
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
  return what.file != nullptr || open_if_it_is(what, what.path);
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
  std::map<std::string, std::unordered_multimap<FileKey, Lost*>> by_folder;
  for (Lost& one : lost) by_folder[folder_of(one.path)].emplace(one.key, &one);
  for (auto& entry : by_folder) {
    auto& wanted = entry.second;
    each_file(entry.first, [&wanted](const std::string& path, const FileInfo& info) {
      auto found = wanted.find(info.key);
      if (found == wanted.end()) return true;
      found->second->found = path;
      wanted.erase(found);
      return !wanted.empty();
    });
  }
}

void search(Search& search) {
  std::map<std::string, std::vector<ResumePoint>> by_folder;
  for (ResumePoint& point : search.points)
    by_folder[folder_of(point.path)].push_back(std::move(point));
  for (auto& [folder, points] : by_folder) {
    std::unordered_multimap<uint64_t, ResumePoint*> wanted;
    for (ResumePoint& point : points) wanted.emplace(point.identity.inode, &point);
    // A file that cannot be opened now is none that is gone.
    std::vector<const ResumePoint*> perhaps;
    bool whole = each_file(folder, [&](const std::string& path, const FileInfo& info) {
      auto [at, last] = wanted.equal_range(info.key.inode);
      while (at != last) {
        Opening opening;
        opening.key = info.key;
        bool opened = open_if_it_is(opening, path);
        if (opened && still_holds(*opening.file, *at->second)) {
          search.found.push_back({*at->second, path, info});
          at = wanted.erase(at);
        } else {
          if (!opened && !opening.gone) perhaps.push_back(at->second);
          ++at;
        }
      }
      return true;
    });
    // What lies on a file system that is not there now (a stick, a network) is not gone. Nor does a
    // folder tell that cannot be read.
    std::string there = folder;
    while (::access(there.c_str(), F_OK) != 0 && there.size() > 1) there = folder_of(there);
    uint64_t file_system = whole ? file_system_of(there) : 0;
    for (const auto& [inode, point] : wanted) {
      bool seen = std::find(perhaps.begin(), perhaps.end(), point) != perhaps.end();
      if (!seen && file_system != 0 && file_system == point->file_system)
        search.gone.push_back(*point);
    }
  }
}

}  // namespace leat
