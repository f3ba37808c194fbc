// Log lines on stderr: "2026-01-02T03:04:05.678Z warn press-line: message", or as JSON, or as the
// journal of systemd takes them. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace leat::log {

enum class Level { kDebug, kInfo, kWarn, kError };
inline constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};
std::optional<Level> level_named(std::string_view name);

// Lines below this level are not written. Default: kInfo.
void set_level(Level level);
Level level();
bool is_written(Level level);
enum class Format {
  kText,
  kColours,  // text for a terminal
  kJson,     // {"time":"…","level":"warn","scope":"press-line","message":"…"}
  // "<4>press-line: message": the priority as in syslog, from which the journal of systemd colours
  // and filters; it dates lines itself (sd-daemon(3)).
  kJournal,
};
// Before threads start. Default: kText.
void set_format(Format format);

// By which lines are dated; without it they are not. It outlives all that logs.
void set_clock(const Clock& clock);

// `scope` is the pipeline's name, or "leat" for the agent itself.
void write(Level level, std::string_view scope, std::string_view message);

// `text` makes the message: it is asked only when somebody reads it, so that it may be called where
// every batch passes.
template <typename Text>
void debug(std::string_view scope, Text&& text) {
  if (is_written(Level::kDebug)) write(Level::kDebug, scope, text());
}
inline void info(std::string_view scope, std::string_view message) {
  write(Level::kInfo, scope, message);
}
inline void warn(std::string_view scope, std::string_view message) {
  write(Level::kWarn, scope, message);
}
inline void error(std::string_view scope, std::string_view message) {
  write(Level::kError, scope, message);
}

// Keeps the last lines that were written, as text, as many as fit into so many bytes. 0, and at
// first: none.
void keep_last(size_t bytes);
// The oldest first: "2026-01-02T03:04:05.678Z warn press-line: message".
std::vector<std::string> last_lines();

// Transient lines at the bottom of a terminal, '\n' between them, each shorter than the terminal is
// wide; the next write() clears them first. An empty text removes them. Only the progress display
// uses this, and only when stderr is a terminal.
void set_status_lines(std::string text);

// Keeps what would be said again and again down to once a minute.
class OnceAMinute {
 public:
  // True when it may be said. `now_us`: Clock::monotonic_us().
  bool due(int64_t now_us) {
    if (now_us < next_us_) return false;
    said(now_us);
    return true;
  }
  // It was said for another reason: not again for a minute.
  void said(int64_t now_us) { next_us_ = now_us + kMinuteUs; }

 private:
  static constexpr int64_t kMinuteUs = 60'000'000;
  int64_t next_us_ = INT64_MIN;
};

}  // namespace leat::log
