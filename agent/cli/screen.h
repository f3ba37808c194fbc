// Where `status --watch` and `top` show what they show again and again: a terminal, in place; or a
// file or pipe, one below the other.
//
// One at a time: it takes SIGWINCH.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace leat {

// As much of `text` as a terminal of that size has room for, cut at its edges, without the last
// line's end; what is left out is counted in the last line.
std::string fitted(std::string_view text, size_t rows, size_t columns);

class Screen {
 public:
  Screen();

  void show(std::string text);
  // Shows the same again meanwhile, when the terminal changes its size.
  void wait(std::chrono::milliseconds time);

 private:
  void draw() const;

  const bool terminal_;
  bool first_ = true;
  std::string text_;
};

}  // namespace leat
