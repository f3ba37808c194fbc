#include "connectors/file/listing.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/folder.h"

namespace leat {
namespace {

// What one call looks at: about a millisecond's worth, for the pool has other work, too.
constexpr size_t kNamesAtOnce = 4096;
constexpr size_t kFilesAtOnce = 512;

}  // namespace

Found find_file(std::string path) {
  Found out;
  out.path = std::move(path);
  out.error = look_at(out.path, out.info, /*follow_link=*/false);
  if (out.error != 0 || !S_ISLNK(out.info.mode)) return out;
  out.links = links_behind(out.path);
  out.error = look_at(out.path, out.info);
  return out;
}

Surroundings Listing::surroundings() {
  Surroundings out;
  folders_.clear();
  unreadable_.clear();
  for (const PathPattern& pattern : patterns_)
    folders_.push_back(pattern.folders(out.folders, unreadable_));
  out.shortage = std::any_of(unreadable_.begin(), unreadable_.end(), [](const auto& folder) {
    return InputFile::is_shortage(folder.second);
  });
  std::set<std::string> around;
  for (const std::string& folder : out.folders) {
    for (std::string& link : links_behind(folder)) {
      around.insert(folder_of(link));
      out.links.insert(std::move(link));
    }
  }
  out.folders.merge(around);
  return out;
}

bool Listing::more(std::vector<Found>& out) {
  shortage_ = false;
  for (size_t looked = 0; looked < kFilesAtOnce;) {
    if (open_ != nullptr) {
      read_names();
      return true;
    }
    if (name_ < names_.size()) {
      Found found = find_file(std::move(names_[name_++]));
      ++looked;
      if (found.error == 0 && S_ISDIR(found.info.mode)) continue;
      if (found.error != ENOENT) out.push_back(std::move(found));  // else gone since it was listed
      continue;
    }
    names_ = {};
    name_ = 0;
    if (pattern_ == patterns_.size()) return false;
    const PathPattern& pattern = patterns_[pattern_];
    if (!pattern.is_glob()) {
      out.push_back(find_file(pattern.text()));
      ++looked;
      ++pattern_;
    } else if (!open_next()) {
      if (shortage_) return true;
      ++pattern_;
      folder_ = 0;
    }
  }
  return true;
}

// The next folder of the pattern that can be read.
bool Listing::open_next() {
  while (folder_ < folders_[pattern_].size()) {
    folder_path_ = folders_[pattern_][folder_++];
    open_.reset(::opendir(folder_path_.c_str()));
    if (open_ != nullptr) return true;
    if (InputFile::is_shortage(errno)) {
      shortage_ = true;
      --folder_;
      return false;
    }
    if (errno != ENOENT && errno != ENOTDIR) unreadable_[folder_path_] = errno;
  }
  return false;
}

void Listing::read_names() {
  const PathPattern& pattern = patterns_[pattern_];
  std::string prefix = folder_path_ == "/" ? folder_path_ : folder_path_ + "/";
  for (size_t i = 0; i < kNamesAtOnce; ++i) {
    const dirent* entry = ::readdir(open_.get());
    if (entry == nullptr) {
      open_.reset();
      std::sort(names_.begin(), names_.end());
      return;
    }
    if (entry->d_type != DT_DIR && pattern.matches_name(entry->d_name))
      names_.push_back(prefix + entry->d_name);
  }
}

}  // namespace leat
