#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"

namespace leat::log {
namespace {

std::atomic<Level> minimum_level{Level::kInfo};
std::atomic<const Clock*> clock{nullptr};
std::mutex mutex;  // a line and the status line are written whole
std::string status_lines;
Format format = Format::kText;
std::deque<std::string> last;  // lines, guarded by the mutex as all but the atomics
size_t last_bytes = 0;
size_t most_last_bytes = 0;

// How a level is written: its name, its colour on a terminal (ECMA-48 section 8.3.117) and its
// priority in syslog (RFC 5424 section 6.2.1).
struct LevelLook {
  const char* name;
  const char* colour;
  char priority;
};
constexpr LevelLook kLooks[] = {{"debug", "\x1b[2m", '7'},
                                {"info", "", '6'},
                                {"warn", "\x1b[33m", '4'},
                                {"error", "\x1b[31m", '3'}};
constexpr std::string_view kPlain = "\x1b[0m";

// To the first of the status lines, and everything from there on cleared.
std::string cleared_status() {
  if (status_lines.empty()) return "";
  std::string out = "\r";
  for (char c : status_lines)
    if (c == '\n') out += "\x1b[A";
  return out + "\x1b[J";
}

std::string now() {
  const Clock* used = clock;
  return used == nullptr ? "" : rfc3339(used->unix_us() / 1000 * 1000);
}

// Nor with anything that a terminal would take for a command.
std::string on_one_line(std::string_view message) {
  std::string out(message);
  for (char& c : out)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  return excerpt(out, out.size());
}

void append_line(std::string& out, const LevelLook& look, std::string_view scope,
                 std::string_view message) {
  const std::string time = format == Format::kJournal ? "" : now();
  if (format == Format::kJson) {
    out += "{";
    if (!time.empty()) out += "\"time\":" + json_quoted(time) + ",";
    out += "\"level\":" + json_quoted(look.name) + ",\"scope\":" + json_quoted(scope) +
           ",\"message\":" + json_quoted(message) + "}\n";
    return;
  }
  if (!time.empty()) out += time + ' ';
  if (format == Format::kJournal) {
    out += {'<', look.priority, '>'};
  } else if (format == Format::kColours && look.colour[0] != '\0') {
    out += look.colour;
    out += look.name;
    out += kPlain;
    out += ' ';
  } else {
    out += look.name;
    out += ' ';
  }
  out += scope;
  out += ": " + on_one_line(message) + '\n';
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

void forget_first_of_last() {
  while (!last.empty() && last_bytes > most_last_bytes) {
    last_bytes -= last.front().size();
    last.pop_front();
  }
}

void add_to_last(Level level, std::string_view scope, std::string_view message) {
  std::string line = now() + ' ';
  (line += kLevelNames[static_cast<size_t>(level)]) += ' ';
  (line += scope) += ": " + on_one_line(message);
  last_bytes += line.size();
  last.push_back(std::move(line));
  forget_first_of_last();
}

}  // namespace

std::optional<Level> level_named(std::string_view name) {
  const auto* found = std::ranges::find(kLevelNames, name);
  if (found == kLevelNames.end()) return std::nullopt;
  return static_cast<Level>(found - kLevelNames.begin());
}

void set_level(Level level) {
  minimum_level = level;
}

Level level() {
  return minimum_level;
}

bool is_written(Level level) {
  return level >= minimum_level.load(std::memory_order_relaxed);
}

void set_clock(const Clock& used) {
  clock = &used;
}

void set_format(Format used) {
  format = used;
}

void write(Level level, std::string_view scope, std::string_view message) {
  if (!is_written(level)) return;
  std::lock_guard lock(mutex);
  std::string line = cleared_status();
  append_line(line, kLooks[static_cast<size_t>(level)], scope, message);
  line += status_lines;
  write_all(line);
  if (most_last_bytes > 0) add_to_last(level, scope, message);
}

void keep_last(size_t bytes) {
  std::lock_guard lock(mutex);
  most_last_bytes = bytes;
  forget_first_of_last();
}

std::vector<std::string> last_lines() {
  std::lock_guard lock(mutex);
  return {last.begin(), last.end()};
}

void set_status_lines(std::string text) {
  std::lock_guard lock(mutex);
  std::string out = cleared_status() + text;
  status_lines = std::move(text);
  if (!out.empty()) write_all(out);
}

}  // namespace leat::log
