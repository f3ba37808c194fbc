#include "cli/dead_letter_edit.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "config/loader.h"

namespace leat {
namespace {

// Only its owner can read it; it goes with this.
class TemporaryFile {
 public:
  TemporaryFile() {
    const char* folder = std::getenv("TMPDIR");
    path_ =
        std::string(folder == nullptr || *folder == '\0' ? "/tmp" : folder) + "/leat-XXXXXX.txt";
    fd_ = ::mkstemps(path_.data(), 4);
  }
  ~TemporaryFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  Status write(std::string_view text) {
    if (fd_ < 0) return fail_errno("open " + path_, errno);
    while (!text.empty()) {
      const ssize_t n = ::write(fd_, text.data(), text.size());
      if (n < 0) return fail_errno("write " + path_, errno);
      text.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }

 private:
  std::string path_;
  int fd_ = -1;
};

// As shells do: the variable may have arguments in it.
Status run_editor(const std::string& path) {
  const char* editor = std::getenv("VISUAL");
  if (editor == nullptr || *editor == '\0') editor = std::getenv("EDITOR");
  if (editor == nullptr || *editor == '\0') editor = "vi";
  const std::string command = std::string(editor) + " \"$1\"";
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("start " + std::string(editor), errno);
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), "sh", path.c_str(), nullptr);
    ::_exit(127);
  }
  int code = 0;
  while (::waitpid(child, &code, 0) < 0)
    if (errno != EINTR) return fail_errno("wait for " + std::string(editor), errno);
  if (WIFEXITED(code) && WEXITSTATUS(code) == 0) return {};
  return fail(ErrorKind::kUsage, std::string(editor) + " failed: nothing was changed");
}

std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string member(const char* name, std::string_view text) {
  return std::string(",\"") + name + "\":" + json_quoted(text);
}

std::string bytes_member(const char* name, std::string_view bytes) {
  if (is_utf8(bytes)) return member(name, bytes);
  return member((std::string(name) + "Base64").c_str(), base64(bytes));
}

}  // namespace

Result<std::optional<std::string>> edit_letter(const std::string& line, bool at_stage) {
  std::optional<Letter> letter = read_letter(line);
  if (!letter) return fail(ErrorKind::kData, "it is no dead letter");
  const bool has_payload = letter->payload || (letter->raw && letter->raw_is != RawIs::kOutput);
  const bool as_record = at_stage ? true : !has_payload && !letter->record.empty();
  const std::string before = as_record && !letter->record.empty() ? std::string(letter->record)
                             : letter->payload                    ? *letter->payload
                                                                  : letter->raw.value_or("");
  TemporaryFile file;
  // With one end of the line, which editors want.
  const std::string_view text = without_line_end(before);
  const std::string line_end = before.substr(text.size());
  if (Status written = file.write(std::string(text) + "\n"); !written) return fail(written.error());
  if (Status ran = run_editor(file.path()); !ran) return fail(ran.error());
  Result<std::string> read = read_text(file.path());
  if (!read) return fail(read.error());
  const std::string_view after = without_line_end(*read);
  if (after == text) return std::optional<std::string>();

  std::string out = "{\"id\":\"" + letter_id_text(letter->id) + '"' +
                    member("stage", letter->stage) + member("source", letter->source) +
                    ",\"step\":" + std::to_string(letter->step);
  if (as_record) {
    out += ",\"record\":" + std::string(after);
    if (!letter->types.empty()) out += ",\"types\":" + std::string(letter->types);
    if (!letter->event_time.empty()) out += member("eventTime", letter->event_time);
  } else {
    const bool output = letter->raw && letter->raw_is == RawIs::kOutput && !letter->payload;
    out += bytes_member("raw", after) + member("lineEnd", line_end) +
           member("rawIs", output ? "output" : "payload") + member("format", letter->format);
  }
  if (!letter->message.empty()) out += ",\"message\":" + std::string(letter->message);
  if (!letter->metadata.empty()) out += ",\"metadata\":" + std::string(letter->metadata);
  out += '}';
  std::optional<Letter> edited = read_letter(out);
  if (!edited || (as_record && edited->record != after))
    return fail(ErrorKind::kData, "what was written is no JSON object");
  return std::optional<std::string>(std::move(out));
}

}  // namespace leat
