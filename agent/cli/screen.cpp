#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

#include "base/units.h"
#include "cli/output.h"

namespace leat {
namespace {

volatile std::sig_atomic_t g_resized = 0;

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

// At most so many characters of it.
std::string_view cut(std::string_view line, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < line.size(); ++i)
    if (begins_character(line[i]) && characters++ == columns) return line.substr(0, i);
  return line;
}

}  // namespace

std::string fitted(std::string_view text, size_t rows, size_t columns) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const size_t lines = static_cast<size_t>(std::ranges::count(text, '\n')) + 1;
  const bool all = lines <= rows;
  std::string out;
  for (size_t line = 0; line < (all ? lines : rows - 1); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    (out += line == 0 ? "" : "\n") += cut(text.substr(0, end), columns);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!all)
    (out += out.empty() ? "" : "\n") +=
        cut("… " + format_count(lines - (rows - 1), "more line"), columns);
  return out;
}

Screen::Screen() : terminal_(::isatty(STDOUT_FILENO) == 1) {
  struct sigaction action = {};
  action.sa_handler = [](int) { g_resized = 1; };  // without SA_RESTART: it ends wait()'s sleep
  if (terminal_) ::sigaction(SIGWINCH, &action, nullptr);
}

void Screen::show(std::string text) {
  text_ = std::move(text);
  draw();
  first_ = false;
}

void Screen::draw() const {
  if (!terminal_) return print((first_ ? "" : "\n") + text_);
  winsize size = {};
  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  const std::string shown = size.ws_row > 0 && size.ws_col > 0
                                ? fitted(text_, size.ws_row, size.ws_col)
                                : text_;  // it does not know
  print("\x1b[H\x1b[J" + shown);          // to the upper left, and clear from there
}

void Screen::wait(std::chrono::milliseconds time) {
  std::fflush(stdout);
  timespec left = {.tv_sec = static_cast<time_t>(time.count() / 1000),
                   .tv_nsec = static_cast<long>(time.count() % 1000 * 1'000'000)};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    if (std::exchange(g_resized, 0) == 0 || text_.empty()) continue;
    draw();
    std::fflush(stdout);
  }
}

}  // namespace leat
