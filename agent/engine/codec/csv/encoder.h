// Encoder for CSV (RFC 4180, rows end with '\n'). Fields are quoted where they must be; one that
// looks like null is quoted too, so that it can be told from null.
//
// The columns are the configured ones, or the fields of the first record this encoder sees.
#pragma once

#include <string>
#include <vector>

#include "codec/csv/dialect.h"
#include "codec/text/slice_writer.h"
#include "record/shape_cache.h"
#include "stage/codec.h"

namespace leat {

class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(CsvDialect dialect, std::vector<std::string> columns, std::string null);

  Result<BatchRef> encode(const Batch& in, DeadLetters& dead) override;
  size_t held() const override { return shapes_.held(); }

  // The row of names with its newline; "" when there is to be none, or the names are not known yet.
  const std::string& header() const { return header_; }

 private:
  // Of records of one shape.
  struct Fields {
    std::vector<int> columns;    // for each column, its index in the shape or -1
    std::vector<size_t> others;  // indices of fields that are no columns
    size_t heap_bytes() const { return heap_bytes_of(columns) + heap_bytes_of(others); }
  };
  bool recode(SliceWriter& writer);
  bool row_of(const Batch& in, const Record& record, SliceWriter& writer);
  bool choose_columns(const Record& first);
  bool write_header();
  Fields map_shape(const Shape& shape) const;
  bool write_row(const Record& record, const Fields& fields, SliceWriter& writer);
  bool write_value(const Value& value, SliceWriter& writer);
  bool write_text(std::string_view text, SliceWriter& writer);

  const CsvDialect dialect_;
  const std::string null_;
  const bool numbers_are_plain_;  // no number has what must be quoted, or looks like null_
  std::vector<std::string> columns_;
  std::string header_;
  ShapeCache<Fields> shapes_;
  std::string scratch_;
  std::string reason_;
};

}  // namespace leat
