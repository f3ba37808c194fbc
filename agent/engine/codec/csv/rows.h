// Where CSV rows and fields end (RFC 4180). The framing that cuts the stream and the decoder that
// reads the rows share these rules, so that both always agree on where a row ends.
//
// Beyond the RFC, and for both:
// - A quote opens a field only as its first character; elsewhere it is an ordinary character.
// - A closing quote must be followed by a delimiter or the end of the line. Where it is not, or
//   where the input ends before one comes, the quote is taken as a mistake: the row is bad, and it
//   ends where the line ends that the quote is in, so that the mistake costs that line.
// - How long a quoted field may be is not asked here: the framing waits for its end. The source
//   gives up what is longer than its `maxRecord`, which is the one limit there is: as far as the
//   first line end behind so many bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/csv/dialect.h"
#include "stage/codec.h"

namespace leat {

struct CsvQuoted {
  enum class Found {
    kClosed,
    kFollowedByText,  // behind the closing quote
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
  size_t first_longer(std::string_view records, size_t most) const override;
  Status split(Batch& batch, DeadLetters& dead) const override;

 private:
  // The place behind the row; null when it is not complete.
  const char* row_end(const char* row, const char* end) const;

  const CsvDialect dialect_;
};

}  // namespace leat
