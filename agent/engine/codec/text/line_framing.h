// Records that end where a line ends. Blank lines (nothing but spaces, tabs, '\r') are none.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "stage/codec.h"

namespace leat {

inline constexpr size_t kTypicalLine = 128;  // bytes, to size arrays

bool is_blank(std::string_view line);

// By memchr, which looks at many bytes at once; std::count takes seven instructions for each.
inline uint32_t count_newlines(const char* p, const char* end) {
  uint32_t count = 0;
  while ((p = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)))) !=
         nullptr) {
    ++count;
    ++p;
  }
  return count;
}

// Calls f(line with its '\n') for each line of `bytes`.
template <typename F>
void each_line(std::string_view bytes, F&& f) {
  const char* const end = bytes.data() + bytes.size();
  for (const char* line = bytes.data(); line < end;) {
    auto* newline =
        static_cast<const char*>(std::memchr(line, '\n', static_cast<size_t>(end - line)));
    const char* next = newline == nullptr ? end : newline + 1;
    f(std::string_view(line, static_cast<size_t>(next - line)));
    line = next;
  }
}

// Calls f(line with its '\n', end offset, number of lines so far) for each line of a kBytes batch,
// and sets batch.end.line.
template <typename F>
void each_line(Batch& batch, F&& f) {
  const char* const begin = batch.bytes.data();
  uint32_t lines = 0;
  each_line(std::string_view(begin, batch.bytes.size()), [&](std::string_view line) {
    f(line, static_cast<uint32_t>(line.data() + line.size() - begin), ++lines);
  });
  batch.end.line = batch.begin.line + lines;
}

class LineFraming : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return "\n"; }
  Status split(Batch& batch, DeadLetters& dead) const override;
};

}  // namespace leat
