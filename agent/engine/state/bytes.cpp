#include "state/bytes.h"

namespace leat {

void put_number(std::string& out, uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
}

void put_signed(std::string& out, int64_t n) {
  put_number(out, static_cast<uint64_t>(n) << 1 ^ static_cast<uint64_t>(n >> 63));
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

uint64_t ByteReader::number() {
  uint64_t n = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest.empty()) break;
    const auto byte = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    n |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return n;
  }
  bad = true;
  return 0;
}

int64_t ByteReader::signed_number() {
  const uint64_t n = number();
  return static_cast<int64_t>(n >> 1 ^ (0 - (n & 1)));
}

std::string_view ByteReader::text() {
  const uint64_t size = number();
  if (bad || size > rest.size()) {
    bad = true;
    return {};
  }
  const std::string_view out = rest.substr(0, static_cast<size_t>(size));
  rest.remove_prefix(out.size());
  return out;
}

}  // namespace leat
