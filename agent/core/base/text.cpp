#include "base/text.h"

#include <algorithm>
#include <cstring>

#include "base/hex.h"
#include "base/swar.h"

namespace leat {
namespace {

// Length of the well-formed UTF-8 sequence at `p`, 0 when there is none (RFC 3629 section 4).
size_t utf8_sequence(const unsigned char* p, size_t left) {
  auto tail = [p, left](size_t i) { return i < left && (p[i] & 0xC0) == 0x80; };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return tail(1) ? 2 : 0;
  if ((p[0] & 0xF0) == 0xE0) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;  // overlong
    if (p[0] == 0xED && p[1] > 0x9F) return 0;  // surrogates
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;  // overlong
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

char* write_escape(char* out, unsigned char c) {
  *out++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *out++ = static_cast<char>(c);
      return out;
    case '\n':
      *out++ = 'n';
      return out;
    case '\r':
      *out++ = 'r';
      return out;
    case '\t':
      *out++ = 't';
      return out;
    default:
      *out++ = 'u';
      *out++ = '0';
      *out++ = '0';
      *out++ = kHexDigits[c >> 4];
      *out++ = kHexDigits[c & 15];
      return out;
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  const unsigned char* p = bytes_of(text);
  size_t left = text.size();
  while (left > 0) {
    if (left >= sizeof(swar::Word)) {
      const swar::Word high = swar::load(reinterpret_cast<const char*>(p)) & swar::kHigh;
      const size_t ascii = high == 0 ? sizeof high : static_cast<size_t>(swar::first_byte(high));
      p += ascii;
      left -= ascii;
      if (high == 0) continue;
    }
    size_t n = utf8_sequence(p, left);
    if (n == 0) return false;
    p += n;
    left -= n;
  }
  return true;
}

size_t write_json_escaped(std::string_view text, char*& out, const char* limit) {
  // A word's plain bytes, and what its next one becomes: "\u001f".
  static_assert(kEscapeRoom >= sizeof(swar::Word) + 6);
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end && limit - out >= static_cast<ptrdiff_t>(kEscapeRoom)) {
    if (end - p >= swar::kSize) {
      const swar::Word word = swar::load(p);
      std::memcpy(out, &word, sizeof word);
      const swar::Word stop = swar::json_special(word) | (word & swar::kHigh);
      const ptrdiff_t plain = stop == 0 ? swar::kSize : swar::first_byte(stop);
      p += plain;
      out += plain;
      if (stop == 0) continue;
    }
    const auto c = static_cast<unsigned char>(*p);
    if (c >= 0x80) {
      const size_t n =
          utf8_sequence(reinterpret_cast<const unsigned char*>(p), static_cast<size_t>(end - p));
      std::memcpy(out, n == 0 ? "\xEF\xBF\xBD" : p, n == 0 ? 3 : n);  // U+FFFD
      p += n == 0 ? 1 : n;
      out += n == 0 ? 3 : n;
    } else {
      if (c < 0x20 || c == '"' || c == '\\') {
        out = write_escape(out, c);
      } else {
        *out++ = *p;
      }
      ++p;
    }
  }
  return static_cast<size_t>(p - text.data());
}

void append_json_escaped(std::string& out, std::string_view text) {
  char part[512];
  while (!text.empty()) {
    char* at = part;
    text.remove_prefix(write_json_escaped(text, at, part + sizeof part));
    out.append(part, static_cast<size_t>(at - part));
  }
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  out += '"';
  return out;
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  const unsigned char* p = bytes_of(bytes);
  size_t left = bytes.size();
  for (; left > 0; p += 3, left -= std::min<size_t>(left, 3)) {
    uint32_t group = static_cast<uint32_t>(p[0]) << 16;
    if (left > 1) group |= static_cast<uint32_t>(p[1]) << 8;
    if (left > 2) group |= p[2];
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += left > 1 ? kAlphabet[group >> 6 & 63] : '=';
    out += left > 2 ? kAlphabet[group & 63] : '=';
  }
  return out;
}

bool append_from_base64(std::string& out, std::string_view text) {
  auto digit = [](char c) -> uint32_t {
    if (c >= 'A' && c <= 'Z') return static_cast<uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<uint32_t>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : 64;
  };
  if (text.size() % 4 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const size_t padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
    uint32_t group = 0;
    for (size_t j = 0; j < 4; ++j) {
      const uint32_t value = j + padding >= 4 ? 0 : digit(text[i + j]);
      if (value > 63) return false;
      group = group << 6 | value;
    }
    for (size_t j = 0; j + padding < 3; ++j) out += static_cast<char>(group >> (16 - 8 * j) & 0xFF);
  }
  return true;
}

namespace {

// Levenshtein distance, case ignored, with swaps of neighbours counted as one (optimal string
// alignment): "ulr" is one step from "url".
size_t distance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 64;  // longer words are not misspelt keys
  if (word.size() > kLongest) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;  // a third of it may be wrong
  for (const std::string& candidate : candidates) {
    size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string excerpt(std::string_view text, size_t limit) {
  bool cut = text.size() > limit;
  if (cut) {
    text = text.substr(0, limit);
    // Not in the middle of a character.
    while (!text.empty() && (text.back() & 0xC0) == 0x80) text.remove_suffix(1);
    if (!text.empty() && (text.back() & 0x80) != 0) text.remove_suffix(1);
  }
  auto needs_no_escape = [](char c) {
    return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  };
  std::string out;
  while (!text.empty()) {
    const auto plain = static_cast<size_t>(
        std::find_if_not(text.begin(), text.end(), needs_no_escape) - text.begin());
    append_json_escaped(out, text.substr(0, plain));  // what is no UTF-8
    if (plain < text.size()) {
      const char c = text[plain];
      if (c == '"' || c == '\\') {
        out += c;
      } else {
        out += "\xE2\x90";
        out += static_cast<char>(c == 0x7F ? 0xA1 : 0x80 + c);
      }
    }
    text.remove_prefix(std::min(plain + 1, text.size()));
  }
  if (cut) out += "…";
  return out;
}

}  // namespace leat
