#include "control/topic/answer_text.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace leat::control {
namespace {

std::string member(const char* name, std::string_view text) {
  return text.empty() ? "" : std::string(",\"") + name + "\":" + json_quoted(text);
}

std::string list_of_lines(std::string_view lines) {
  std::string out = "[";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    if (!line.empty()) (out += out.size() > 1 ? "," : "") += line;
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  return out + "]";
}

// Bytes of a character in a JSON string, at most.
size_t quoted_size(char c) {
  return c == '"' || c == '\\' ? 2 : static_cast<unsigned char>(c) < 0x20 ? 6 : 1;
}

bool goes_on(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The longest start of `text` that takes at most `room` bytes as a JSON string, and ends between
// characters; one character at least.
size_t piece_of(std::string_view text, size_t room) {
  size_t end = 0;
  for (size_t taken = 0; end < text.size(); ++end) {
    taken += quoted_size(text[end]);
    if (taken > room) break;
  }
  while (end > 0 && end < text.size() && goes_on(text[end])) --end;
  if (end == 0) ++end;
  while (end < text.size() && goes_on(text[end])) ++end;
  return end;
}

}  // namespace

std::string answer_text(std::string_view correlation, std::string_view command,
                        const Answer& answer, bool lines) {
  std::string out = "{\"correlation\":" + json_quoted(correlation) +
                    ",\"command\":" + json_quoted(command) +
                    ",\"state\":" + json_quoted(name_of(answer.state));
  if (answer.state == Answer::State::kFailed) {
    out +=
        ",\"error\":{\"code\":" + json_quoted(name_of(answer.fault)) + member("text", answer.text);
    if (!answer.problems.empty()) out += ",\"problems\":" + answer.problems;
    return out + "}}";
  }
  if (lines) {
    out += ",\"result\":" + list_of_lines(answer.result);
  } else if (!answer.result.empty()) {
    std::string_view result = answer.result;
    while (result.ends_with('\n')) result.remove_suffix(1);
    (out += ",\"result\":") += result;
  }
  return out + member("text", answer.text) + "}";
}

std::vector<std::string> in_parts(std::string_view correlation, std::string text, size_t limit) {
  if (text.size() <= limit) return {std::move(text)};
  const std::string begin = "{\"correlation\":" + json_quoted(correlation) + ",\"part\":";
  constexpr size_t kAround = sizeof(",\"parts\":,\"data\":\"\"}") + 2 * 10;  // with two numbers
  const size_t around = begin.size() + kAround;
  const size_t room = limit > around ? limit - around : 1;
  std::vector<std::string> out;
  std::vector<std::string_view> pieces;
  for (std::string_view rest = text; !rest.empty();) {
    pieces.push_back(rest.substr(0, piece_of(rest, room)));
    rest.remove_prefix(pieces.back().size());
  }
  for (size_t i = 0; i < pieces.size(); ++i)
    out.push_back(begin + std::to_string(i + 1) + ",\"parts\":" + std::to_string(pieces.size()) +
                  ",\"data\":" + json_quoted(pieces[i]) + "}");
  return out;
}

}  // namespace leat::control
