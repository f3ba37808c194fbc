#include "config/config_files.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "config/wording.h"

namespace leat {
namespace {

bool is_folder(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Or nothing that can be looked at: reading it says why. A pipe in a folder would be waited for.
bool may_be_file(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

Result<std::vector<std::string>> files_in(const std::string& folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) return fail_errno("open " + folder, errno);
  std::vector<std::string> out;
  while (const dirent* entry = readdir(open.get())) {
    std::string_view name = entry->d_name;
    std::string path = folder + (folder.ends_with('/') ? "" : "/") + std::string(name);
    if (!name.starts_with('.') && name.ends_with(".json") && may_be_file(path))
      out.push_back(std::move(path));
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  constexpr size_t kLimit = 16 << 20;
  bool standard_input = path == "-";
  std::unique_ptr<FILE, int (*)(FILE*)> file(
      standard_input ? stdin : std::fopen(path.c_str(), "rbe"),
      [](FILE* open) { return open == stdin ? 0 : std::fclose(open); });
  std::string shown = standard_input ? "standard input" : path;
  if (!file) return fail_errno("open " + shown, errno);
  std::string text;
  char buffer[16 * 1024];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, n);
    if (text.size() > kLimit)
      return fail(ErrorKind::kUsage, "read " + shown + ": more than " + exact_bytes(kLimit));
  }
  if (std::ferror(file.get()) != 0) return fail_errno("read " + shown, errno);
  return text;
}

std::vector<ConfigFile> read_config_files(const std::string& path, Problems& problems) {
  std::vector<std::string> paths{path};
  auto cannot = [&problems](std::string why) {
    problems.add({.kind = Problem::Kind::kSyntax, .text = std::move(why)});
  };
  if (path != "-" && is_folder(path)) {
    Result<std::vector<std::string>> found = files_in(path);
    if (!found) cannot(found.error().message());
    if (found && found->empty()) cannot(path + ": no *.json in this folder");
    paths = found.value_or(std::vector<std::string>());
  }
  std::vector<ConfigFile> out;
  for (const std::string& each : paths) {
    if (Result<std::string> text = read_text(each))
      out.push_back({each == "-" ? "standard input" : each, *std::move(text)});
    else
      cannot(text.error().message());
  }
  return out;
}

}  // namespace leat
