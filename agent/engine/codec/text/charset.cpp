#include "codec/text/charset.h"

#include <algorithm>
#include <array>

#include "base/packed.h"
#include "base/text.h"
#include "codec/text/gbk.h"
#include "codec/text/utf16.h"
#include "options/option_errors.h"

namespace leat {
namespace {

// What windows-1252 has at 0x80 to 0x9F, as code points; 0 where it has nothing (the WHATWG's table
// has control characters there, which nobody means).
constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

constexpr uint16_t kReplacement = 0xFFFD;

// The length of the UTF-8 character that `text` begins with; 0 when it begins with none.
size_t character(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  size_t size = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return size > 0 && size <= text.size() && is_utf8(text.substr(0, size)) ? size : 0;
}

// Of the basic plane.
size_t put_utf8(uint16_t code, char* out) {
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = static_cast<char>(0xC0 | code >> 6);
    out[1] = static_cast<char>(0x80 | (code & 0x3F));
    return 2;
  }
  out[0] = static_cast<char>(0xE0 | code >> 12);
  out[1] = static_cast<char>(0x80 | (code >> 6 & 0x3F));
  out[2] = static_cast<char>(0x80 | (code & 0x3F));
  return 3;
}

// Each second byte of its beginning is NUL, and no other.
bool is_utf16_ascii(std::string_view bytes) {
  if (bytes.size() < 4) return false;
  const bool big = bytes[0] == '\0';
  for (size_t i = 0; i < 4; ++i)
    if ((bytes[i] == '\0') != ((i % 2 == 0) == big)) return false;
  return true;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Charset charset_of(const Options& options) {
  const auto place = std::ranges::find(kEncodings, options.string("encoding"));
  return static_cast<Charset>(place - std::begin(kEncodings));
}

Status check_is_there(const Options& options) {
  if (charset_of(options) != Charset::kGbk || Gbk::get() != nullptr) return {};
  return fail_option(options, "encoding",
                     "\"gbk\" is not known to this binary or its C library: convert by iconv");
}

#ifdef LEAT_ENCODINGS
// Of a character of UTF-8 with so many bytes; 0 beyond the basic plane.
uint16_t code_of(std::string_view character) {
  const auto byte = [character](size_t i) { return static_cast<unsigned>(character[i]) & 0x3F; };
  if (character.size() == 1) return static_cast<unsigned char>(character[0]);
  if (character.size() == 2) return static_cast<uint16_t>((byte(0) & 0x1F) << 6 | byte(1));
  if (character.size() > 3) return 0;
  return static_cast<uint16_t>((byte(0) & 0x0F) << 12 | byte(1) << 6 | byte(2));
}

// One byte, or two with the first one high; 0 where the encoding has no such character.
uint16_t encoded(Charset charset, uint16_t code) {
  if (code < 0x80) return code;
  if (charset == Charset::kGbk) return Gbk::get()->bytes_of(code);
  if (charset == Charset::kWindows1252 && (code < 0xA0 || code > 0xFF)) {
    const auto place = std::ranges::find(kWindows1252, code);
    return place == kWindows1252.end()
               ? 0
               : static_cast<uint16_t>(0x80 + (place - kWindows1252.begin()));
  }
  return code <= 0xFF ? code : 0;
}
#endif

}  // namespace

TextReader::TextReader(const Options& options) : charset_(charset_of(options)) {
  const std::string& invalid = options.string("invalidText");
  if (invalid == "replace") invalid_ = Invalid::kReplace;
  if (invalid == "bytes") invalid_ = Invalid::kBytes;
}

Status TextReader::check(const Options& options) {
  if (Status there = check_is_there(options); !there) return there;
  if (options.string("encoding") != "utf-16" || options.string("invalidText") != "bytes") return {};
  return fail_option(options, "invalidText", "\"bytes\" does not go with encoding utf-16");
}

bool TextReader::is_plain(std::string_view bytes) const {
  return (is_unicode() ? is_utf8(bytes) : is_ascii(bytes)) &&
         bytes.find('\0') == std::string_view::npos;
}

bool TextReader::read(std::string_view bytes, Arena& arena, Value& out) {
  if (as_bytes() || is_plain(bytes)) {
    out = Value::of_text(as_bytes() ? Type::kBytes : Type::kString, bytes);
    return true;
  }
  char* text = static_cast<char*>(arena.allocate(3 * bytes.size(), 1));  // no character takes more
  size_t size = convert(bytes, text);
  out = Value::of_text(Type::kString, {text, size});
  return size > 0;
}

std::optional<std::string> TextReader::name(std::string_view bytes) {
  if (is_plain(bytes)) return std::string(bytes);
  std::string text(3 * bytes.size(), '\0');
  size_t size = convert(bytes, text.data());
  if (size == 0) return std::nullopt;
  text.resize(size);
  return text;
}

size_t TextReader::convert(std::string_view bytes, char* out) {
  char* at = out;
  while (!bytes.empty()) {
    auto byte = static_cast<unsigned char>(bytes[0]);
    size_t taken = 1;
    uint16_t code = byte;
    if (is_unicode() && byte != 0) {
      taken = character(bytes);
      if (taken > 0) {
        at = std::copy_n(bytes.data(), taken, at);
        bytes.remove_prefix(taken);
        continue;
      }
      taken = is_utf16() && byte >= 0xE0 && byte < 0xF0 ? 3 : 1;  // half of a surrogate pair
      code = 0;
    } else if (charset_ == Charset::kWindows1252 && byte >= 0x80 && byte < 0xA0) {
      code = kWindows1252[byte - 0x80];
    } else if (charset_ == Charset::kGbk && byte >= 0x80) {
      code = bytes.size() < 2 ? 0 : Gbk::get()->code_of(byte, static_cast<unsigned char>(bytes[1]));
      if (code != 0) taken = 2;
    }
    if (code == 0 && invalid_ != Invalid::kReplace) {
      problem_ = byte == 0                    ? "NUL byte"
                 : charset_ == Charset::kUtf8 ? "invalid UTF-8"
                 : is_utf16()                 ? "invalid UTF-16"
                 : charset_ == Charset::kGbk  ? "bytes that are no character of gbk"
                                              : "a byte that windows-1252 does not have";
      return 0;
    }
    at += put_utf8(code == 0 ? kReplacement : code, at);
    bytes.remove_prefix(taken);
  }
  return static_cast<size_t>(at - out);
}

#ifdef LEAT_ENCODINGS
TextWriter::TextWriter(const Options& options) : charset_(charset_of(options)) {}

Status TextWriter::check(const Options& options) {
  return check_is_there(options);
}

Result<size_t> TextWriter::write(char* text, size_t size) const {
  char* at = text;
  for (std::string_view rest(text, size); !rest.empty();) {
    const std::string_view one = rest.substr(0, std::max<size_t>(character(rest), 1));
    const uint16_t bytes = encoded(charset_, code_of(one));
    if (bytes == 0)
      return fail(ErrorKind::kData, "\"" + excerpt(one) + "\" is no character of " +
                                        std::string(kEncodings[static_cast<size_t>(charset_)]));
    rest.remove_prefix(one.size());
    if (bytes > 0xFF) *at++ = static_cast<char>(bytes >> 8);
    *at++ = static_cast<char>(bytes & 0xFF);
  }
  return static_cast<size_t>(at - text);
}
#endif

std::string known_content(std::string_view bytes, bool converts) {
  const std::string begin = ": it begins like ";
  if (std::string_view packed = packed_as(bytes); !packed.empty())
    return begin + std::string(packed);
  if (is_utf16_ascii(bytes) || order_of_mark(bytes))
    return begin + "UTF-16 text (" +
           (converts ? "encoding utf-16" : "convert it first: iconv -f UTF-16 -t UTF-8") + ")";
  if (bytes.starts_with(std::string_view("\0\0", 2))) return begin + "a hole in a file (NUL bytes)";
  return "";
}

}  // namespace leat
