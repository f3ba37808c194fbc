#include "letters/letter_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/folder.h"
#include "letters/letter.h"

namespace leat {
namespace {

constexpr size_t kPiece = 64 * 1024;  // bytes read at once
constexpr uint64_t kLeastLine = 64;
constexpr const char* kOlder = ".1";
constexpr const char* kMarks = ".done";

class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

uint64_t place_of_mark(uint64_t offset) {
  return offset / kLeastLine * sizeof(uint64_t);
}

// As they are on the disk, whatever the machine.
uint64_t decode(const unsigned char* bytes) {
  uint64_t out = 0;
  for (size_t i = 0; i < sizeof out; ++i) out = out << 8 | bytes[i];
  return out;
}
std::array<unsigned char, 8> encode(uint64_t number) {
  std::array<unsigned char, 8> out{};
  for (size_t i = out.size(); i-- > 0; number >>= 8) out[i] = static_cast<unsigned char>(number);
  return out;
}

// Reads marks, of which many lie together.
class Marks {
 public:
  explicit Marks(const std::string& path)
      : file_(::open((path + kMarks).c_str(), O_RDONLY | O_CLOEXEC)) {}

  uint64_t at(uint64_t offset) {
    if (file_.fd() < 0) return 0;
    const uint64_t place = place_of_mark(offset);
    if (place < begin_ || place + sizeof(uint64_t) > begin_ + size_) {
      begin_ = place / page_.size() * page_.size();
      const ssize_t n = ::pread(file_.fd(), page_.data(), page_.size(), static_cast<off_t>(begin_));
      size_ = n > 0 ? static_cast<size_t>(n) : 0;
    }
    if (place + sizeof(uint64_t) > begin_ + size_) return 0;
    return decode(page_.data() + (place - begin_));
  }

 private:
  File file_;
  std::array<unsigned char, 4096> page_{};
  uint64_t begin_ = 0;
  size_t size_ = 0;
};

}  // namespace

struct LetterReader::State {
  struct Source {
    std::string path;
    File file;
    uint64_t inode = 0;
    uint64_t size = 0;
  };
  explicit State(const std::string& path) : path_(path), marks{Marks(path + kOlder), Marks(path)} {}

  const std::string path_;
  std::vector<Source> sources = {};
  Marks marks[2];
  size_t now = 0;        // of sources
  uint64_t offset = 0;   // in it, of `begin`
  std::string buffer;    // what was read and not given
  size_t begin = 0;      // of the next line
  uint64_t read_to = 0;  // in the file

  Status add(const std::string& name) {
    Source source{.path = name, .file = File(::open(name.c_str(), O_RDONLY | O_CLOEXEC))};
    if (source.file.fd() < 0) return errno == ENOENT ? Status{} : fail_errno("open " + name, errno);
    struct stat info {};
    if (::fstat(source.file.fd(), &info) != 0) return fail_errno("stat " + name, errno);
    source.inode = info.st_ino;
    source.size = static_cast<uint64_t>(info.st_size);
    const bool known = !sources.empty() && sources.back().inode == source.inode;
    if (!known) sources.push_back(std::move(source));
    return {};
  }

  void go_to(LetterPlace from) {
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].inode != from.file || from.offset > sources[i].size) continue;
      char before = '\n';
      if (from.offset > 0 &&
          ::pread(sources[i].file.fd(), &before, 1, static_cast<off_t>(from.offset - 1)) != 1)
        return;
      if (before != '\n') return;  // it is another file
      now = i;
      offset = read_to = from.offset;
    }
  }

  LetterState state_of(uint64_t id, uint64_t at) {
    if (id == 0) return LetterState::kOpen;
    for (Marks& one : marks) {
      const uint64_t mark = one.at(at);
      if (mark == id) return LetterState::kDone;
      if (mark == ~id) return LetterState::kDropped;
    }
    return LetterState::kOpen;
  }

  // False: the file has no more.
  Result<bool> read_on() {
    const Source& source = sources[now];
    buffer.erase(0, begin);
    begin = 0;
    const size_t had = buffer.size();
    const size_t most =
        static_cast<size_t>(std::min<uint64_t>(std::max(kPiece, had), source.size - read_to));
    if (most == 0) return false;
    buffer.resize(had + most);
    const ssize_t n =
        ::pread(source.file.fd(), buffer.data() + had, most, static_cast<off_t>(read_to));
    if (n < 0) return fail_errno("read " + source.path, errno);
    buffer.resize(had + static_cast<size_t>(n));
    read_to += static_cast<uint64_t>(n);
    return n > 0;
  }
};

LetterReader::LetterReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LetterReader::LetterReader(LetterReader&&) noexcept = default;
LetterReader& LetterReader::operator=(LetterReader&&) noexcept = default;
LetterReader::~LetterReader() = default;

Result<LetterReader> LetterReader::open(const std::string& path, LetterPlace from) {
  auto state = std::make_unique<State>(path);
  // The newer first: should it become the older one meanwhile, it is seen twice, and not at all.
  if (Status added = state->add(path); !added) return fail(added.error());
  if (Status added = state->add(path + kOlder); !added) return fail(added.error());
  std::ranges::reverse(state->sources);
  state->go_to(from);
  return LetterReader(std::move(state));
}

Result<bool> LetterReader::next(LetterLine& line) {
  State& s = *state_;
  while (s.now < s.sources.size()) {
    size_t searched = s.begin;
    size_t newline = s.buffer.find('\n', searched);
    while (newline == std::string::npos) {
      searched = s.buffer.size() - s.begin;
      Result<bool> more = s.read_on();
      if (!more) return fail(more.error());
      if (!*more) break;
      newline = s.buffer.find('\n', searched);
    }
    if (newline == std::string::npos) {  // a line that is not whole is still being written
      ++s.now;
      s.buffer.clear();
      s.begin = 0;
      s.offset = s.read_to = 0;
      continue;
    }
    line.text = std::string_view(s.buffer).substr(s.begin, newline - s.begin);
    line.place = {s.sources[s.now].inode, s.offset};
    line.id = letter_id_of(line.text);
    line.state = s.state_of(line.id, s.offset);
    s.offset += line.text.size() + 1;
    s.begin = newline + 1;
    return true;
  }
  return false;
}

LetterPlace LetterReader::place() const {
  const State& s = *state_;
  if (s.sources.empty()) return {};
  if (s.now < s.sources.size()) return {s.sources[s.now].inode, s.offset};
  return {s.sources.back().inode, s.sources.back().size};
}

uint64_t LetterReader::bytes() const {
  uint64_t out = 0;
  for (const State::Source& source : state_->sources) out += source.size;
  return out;
}

namespace {

Status mark_in(const std::string& name, std::span<const LetterMark> marks, uint64_t inode) {
  const std::string path = name + kMarks;
  const bool is_new = ::access(path.c_str(), F_OK) != 0;
  File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.fd() < 0) return fail_errno("open " + path, errno);
  for (const LetterMark& mark : marks) {
    if (mark.place.file != inode) continue;
    const auto bytes = encode(mark.dropped ? ~mark.id : mark.id);
    const ssize_t n = ::pwrite(file.fd(), bytes.data(), bytes.size(),
                               static_cast<off_t>(place_of_mark(mark.place.offset)));
    if (n != static_cast<ssize_t>(bytes.size())) return fail_errno("write " + path, errno);
  }
  if (::fdatasync(file.fd()) != 0) return fail_errno("fsync " + path, errno);
  return is_new ? sync_folder(folder_of(path)) : Status{};
}

}  // namespace

Status mark_letters(const std::string& path, std::span<const LetterMark> marks) {
  for (const std::string& name : {path, path + kOlder}) {
    struct stat info {};
    if (::stat(name.c_str(), &info) != 0) continue;
    const uint64_t inode = info.st_ino;
    if (std::ranges::none_of(marks,
                             [inode](const LetterMark& one) { return one.place.file == inode; }))
      continue;
    if (Status marked = mark_in(name, marks, inode); !marked) return marked;
  }
  return {};
}

}  // namespace leat
