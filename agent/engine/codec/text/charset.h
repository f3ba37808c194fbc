// Which characters a source's bytes are, and what becomes of bytes that are none: the options
// `encoding` and `invalidText` of the formats that are plain text. A field has one type, whatever
// its bytes are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "memory/arena.h"
#include "options/options.h"
#include "record/value.h"

namespace leat {

inline constexpr std::string_view kEncodings[] = {"utf-8", "latin1", "windows-1252", "gbk",
                                                  "utf-16"};
inline constexpr std::string_view kInvalidTexts[] = {"deadLetter", "replace", "bytes"};

inline constexpr Option kEncodingOption = {
    .name = "encoding",
    .fallback = "utf-8",
    .help =
        "The characters of the input. Text of other encodings than utf-8 becomes utf-8. utf-16: "
        "the byte order mark at the start tells the byte order, else the first line end. gbk: "
        "where the C library has it; a static binary has not.",
    .choices = kEncodings};
inline constexpr Option kInvalidTextOption = {
    .name = "invalidText",
    .fallback = "deadLetter",
    .help =
        "Text with bytes that are no characters, or with a NUL: a dead letter; or read with "
        "U+FFFD in their place; or bytes makes all text fields bytes, as they are, whatever "
        "is in them.",
    .choices = kInvalidTexts};

enum class Charset : uint8_t { kUtf8, kLatin1, kWindows1252, kGbk, kUtf16 };

class TextReader {
 public:
  TextReader() = default;
  // `options` has the two above.
  explicit TextReader(const Options& options);
  // What the options above cannot mean together.
  static Status check(const Options& options);

  // What stands there is the text.
  bool is_plain(std::string_view bytes) const;
  // All texts, without a look at them.
  bool as_bytes() const { return invalid_ == Invalid::kBytes; }
  // False: it is no text, and problem() says why. What must be written anew goes to `arena`; else
  // `out` points to `bytes`.
  bool read(std::string_view bytes, Arena& arena, Value& out);
  // As read(), for what must be text: a name.
  std::optional<std::string> name(std::string_view bytes);
  const char* problem() const { return problem_; }

  // Utf16Reader comes before this one, which is given what that has made.
  bool is_utf16() const { return charset_ == Charset::kUtf16; }

  // Undecoded lines are the same text that read() would make of them, or are for it to reject.
  bool keeps_bytes() const { return charset_ == Charset::kUtf8 && invalid_ != Invalid::kReplace; }

 private:
  enum class Invalid : uint8_t { kDeadLetter, kReplace, kBytes };
  bool is_unicode() const { return charset_ == Charset::kUtf8 || is_utf16(); }
  // Writes the text to `out` and returns its length; 0 when it is none.
  size_t convert(std::string_view bytes, char* out);

  Charset charset_ = Charset::kUtf8;
  Invalid invalid_ = Invalid::kDeadLetter;
  const char* problem_ = "";
};

#ifdef LEAT_ENCODINGS
inline constexpr std::string_view kWrittenEncodings[] = {"utf-8", "latin1", "windows-1252", "gbk"};
inline constexpr Option kWrittenEncodingOption = {
    .name = "encoding",
    .fallback = "utf-8",
    .help =
        "The characters that are written. A record with one that the encoding has not becomes a "
        "dead letter. gbk: where the C library has it; a static binary has not.",
    .choices = kWrittenEncodings};

// The same for what is written.
class TextWriter {
 public:
  TextWriter() = default;
  explicit TextWriter(const Options& options);
  static Status check(const Options& options);

  bool converts() const { return charset_ != Charset::kUtf8; }
  // UTF-8 becomes what is to be written, in its place and never longer: its length. Error: kData,
  // which character cannot be; what stands there then is of no use.
  Result<size_t> write(char* text, size_t size) const;

 private:
  Charset charset_ = Charset::kUtf8;
};
#else
// Writes nothing but UTF-8.
class TextWriter {
 public:
  static constexpr bool converts() { return false; }
  static Result<size_t> write(char* /*text*/, size_t size) { return size; }
};
#endif

// What is wrong with text that begins like this, for people, to be put behind a reason: ": it
// begins like a zip archive"; "" when that is not known. `converts`: the format has TextReader's
// options.
std::string known_content(std::string_view bytes, bool converts);

}  // namespace leat
