#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <mutex>

#include "base/time_format.h"

namespace leat::log {
namespace {

std::atomic<Level> minimum_level{Level::kInfo};
std::atomic<const Clock*> clock{nullptr};
std::mutex mutex;  // a line and the status line are written whole
std::string status_line;

constexpr std::string_view kClearLine = "\r\x1b[K";

const char* level_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "?";
}

// One write(2) a line: lines of several processes on one terminal do not mix, and nothing is lost
// in a buffer when the process is killed. What stderr does not take is let go.
void write_all(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    ssize_t n = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

}  // namespace

void set_level(Level level) {
  minimum_level = level;
}

bool is_written(Level level) {
  return level >= minimum_level.load(std::memory_order_relaxed);
}

void set_clock(const Clock& used) {
  clock = &used;
}

void write(Level level, std::string_view scope, std::string_view message) {
  if (!is_written(level)) return;
  std::lock_guard lock(mutex);
  std::string line;
  line.reserve(message.size() + 64);
  if (!status_line.empty()) line += kClearLine;
  if (const Clock* used = clock; used != nullptr)
    line += rfc3339(used->unix_us() / 1000 * 1000) + ' ';
  line += level_name(level);
  line += ' ';
  line += scope;
  line += ": ";
  for (char c : message) line += c == '\n' || c == '\r' ? ' ' : c;
  line += '\n';
  line += status_line;
  write_all(line);
}

void set_status_line(std::string text) {
  std::lock_guard lock(mutex);
  if (text.empty() && status_line.empty()) return;
  status_line = std::move(text);
  write_all(std::string(kClearLine) + status_line);
}

}  // namespace leat::log
