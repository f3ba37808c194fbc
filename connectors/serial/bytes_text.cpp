#include "connectors/serial/bytes_text.h"

#include <charconv>
#include <optional>

#include "base/text.h"

namespace leat::serial {
namespace {

std::optional<char> hex_byte(std::string_view digits) {
  unsigned value = 0;
  if (digits.size() < 2) return std::nullopt;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
  if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
  return static_cast<char>(value);
}

Result<std::string> parse_hex(std::string_view digits) {
  std::string out;
  for (; !digits.empty(); digits.remove_prefix(std::min<size_t>(digits.size(), 2))) {
    std::optional<char> byte = hex_byte(digits);
    if (!byte)
      return fail(ErrorKind::kUsage,
                  "must have two hex digits for each byte behind 0x, such as \"0x0D0A\"");
    out += *byte;
  }
  return out;
}

std::optional<char> simple_escape(char letter) {
  switch (letter) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<std::string> parse_byte_text(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return parse_hex(text.substr(2));
  std::string out;
  while (!text.empty()) {
    if (text[0] != '\\') {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    bool hex = text.size() > 1 && text[1] == 'x';
    size_t size = hex ? 4 : 2;
    std::optional<char> byte;
    if (text.size() >= size) byte = hex ? hex_byte(text.substr(2)) : simple_escape(text[1]);
    if (!byte)
      return fail(ErrorKind::kUsage, "unknown escape \"" + excerpt(text.substr(0, size)) +
                                         "\"; known: \\r \\n \\t \\0 \\\\ \\xHH");
    out += *byte;
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace leat::serial
