// Where CSV rows and fields end (RFC 4180). The framing that cuts the stream and the decoder that
// reads the rows share these rules, so that both always agree on where a row ends.
//
// Beyond the RFC, and for both:
// - A quote opens a field only as its first character; elsewhere it is an ordinary character.
// - A closing quote must be followed by a delimiter or the end of the line. Where it is not, or
//   where no closing quote comes within kMaxQuoted bytes, the quote is taken as a mistake: the row
//   is bad, and it ends where the line ends that the quote is in. So a quote that is never closed
//   costs its own line, not the rest of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/csv/dialect.h"
#include "stage/codec.h"

namespace leat {

// The longest quoted field: above any text that people keep in tables, and small beside the memory
// budget, since the framing must see this much before it may call a quote unclosed.
inline constexpr size_t kCsvMaxQuoted = 256 * 1024;

struct CsvQuoted {
  enum class Found {
    kClosed,
    kFollowedByText,  // behind the closing quote
    kUnclosed,        // within kCsvMaxQuoted bytes
    kCutOff,          // `end` came first
  };
  Found found;
  const char* close = nullptr;  // kClosed: the closing quote
  bool doubled = false;         // there are doubled quotes inside
};

// `open` is at an opening quote.
CsvQuoted csv_quoted(const CsvDialect& dialect, const char* open, const char* end);

class CsvFraming final : public Framing {
 public:
  explicit CsvFraming(CsvDialect dialect) : dialect_(std::move(dialect)) {}

  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return "\n"; }
  void split(Batch& batch) const override;

 private:
  // The place behind the row; null when it is not complete.
  const char* row_end(const char* row, const char* end) const;

  const CsvDialect dialect_;
};

}  // namespace leat
