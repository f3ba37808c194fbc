#include "cli/restart.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

namespace leat {
namespace {

// Where the program lies. The kernel marks a file that another one has taken the place of.
std::string own_path() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  std::string out(path.data(), size > 0 ? static_cast<size_t>(size) : 0);
  constexpr std::string_view kDeleted = " (deleted)";
  if (out.ends_with(kDeleted)) out.resize(out.size() - kDeleted.size());
  return out;
}

// Each ends with a zero.
std::string own_arguments() {
  std::string out;
  std::FILE* file = std::fopen("/proc/self/cmdline", "re");
  if (file == nullptr) return out;
  std::array<char, 4096> bytes{};
  while (size_t size = std::fread(bytes.data(), 1, bytes.size(), file))
    out.append(bytes.data(), size);
  std::fclose(file);
  return out;
}

}  // namespace

std::string begin_anew() {
  const std::string path = own_path();
  std::string arguments = own_arguments();
  std::vector<char*> words;
  for (size_t at = 0; at < arguments.size(); at = arguments.find('\0', at) + 1)
    words.push_back(arguments.data() + at);
  words.push_back(nullptr);
  std::fflush(nullptr);
  ::execv(path.c_str(), words.data());
  return path + ": " + std::strerror(errno);
}

}  // namespace leat
