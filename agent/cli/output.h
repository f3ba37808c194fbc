// What commands print: results on standard output, complaints on standard error.
#pragma once

#include <cstdio>
#include <string>

namespace leat {

inline void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// One line, without its end.
inline void complain(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace leat
