#include "base/in_quotes.h"

namespace leat {

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

}  // namespace leat
