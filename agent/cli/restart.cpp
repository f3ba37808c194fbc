#include "cli/restart.h"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "cli/output.h"

namespace leat {
namespace {

// The program that this process was made of, also when its file is gone.
constexpr char kThisProgram[] = "/proc/self/exe";

// Whether all that would be loaded of it is there. Of a script, or another kind of program, it is.
bool is_whole(const std::string& path, uint64_t size) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (file == nullptr) return true;  // to run it, nobody needs to read it
  ElfW(Ehdr) head{};
  const size_t got = std::fread(&head, 1, sizeof head, file.get());
  if (got >= 2 && std::memcmp(&head, "#!", 2) == 0) return true;
  if (got < sizeof head || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return false;
  for (unsigned i = 0; i < head.e_phnum; ++i) {
    ElfW(Phdr) part{};
    const auto at = static_cast<long>(head.e_phoff + size_t{i} * head.e_phentsize);
    if (std::fseek(file.get(), at, SEEK_SET) != 0 ||
        std::fread(&part, sizeof part, 1, file.get()) != 1)
      return false;
    if (part.p_type == PT_LOAD && uint64_t{part.p_offset} + part.p_filesz > size) return false;
  }
  return true;
}

// Where the program lies. The kernel marks a file that another one has taken the place of.
std::string own_path() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink(kThisProgram, path.data(), path.size());
  std::string out(path.data(), size > 0 ? static_cast<size_t>(size) : 0);
  constexpr std::string_view kDeleted = " (deleted)";
  if (out.ends_with(kDeleted)) out.resize(out.size() - kDeleted.size());
  return out;
}

// As the kernel has them.
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

std::string fault_of_program(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return path + ": " + std::strerror(errno);
  if (!S_ISREG(info.st_mode)) return path + ": is no file";
  if (::access(path.c_str(), X_OK) != 0) return path + ": " + std::strerror(errno);
  return is_whole(path, static_cast<uint64_t>(info.st_size)) ? "" : path + ": is no whole program";
}

std::vector<char*> words_of(std::string& arguments) {
  std::vector<char*> out;
  for (size_t at = 0; at < arguments.size();) {
    out.push_back(arguments.data() + at);
    at = std::min(arguments.find('\0', at), arguments.size()) + 1;
  }
  return out;
}

std::string why_not_anew() {
  std::string fault = fault_of_program(own_path());
  return fault.empty() || ::access(kThisProgram, X_OK) == 0 ? "" : fault;
}

std::string begin_anew() {
  const std::string path = own_path();
  std::string arguments = own_arguments();
  std::vector<char*> words = words_of(arguments);
  words.push_back(nullptr);
  std::fflush(nullptr);
  std::string fault = fault_of_program(path);
  if (fault.empty()) {
    ::execv(path.c_str(), words.data());
    fault = path + ": " + std::strerror(errno);
  }
  complain("leat: " + fault + "; the program that ran until now begins anew");
  ::execv(kThisProgram, words.data());
  return fault;
}

}  // namespace leat
